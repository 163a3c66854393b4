import msgspec
import pytest

from holdfast.control.gateways import (
    FORGOTTEN_NS,
    MAX_BREAKERS,
    MAX_GATEWAYS,
    SILENT_NS,
    BreakerPosition,
    BreakerStatus,
    GatewayReport,
    Gateways,
)
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import BackpressureError, InputError
from holdfast.testing.clock import FakeClock

BREAKER = BreakerStatus(rule="transport", target="large", position=BreakerPosition.OPEN, since_ns=1)
REPORT = GatewayReport(version=3, started_ns=1, breakers=(BREAKER,))


def test_the_last_report_of_each_gateway_is_known_by_id(clock: FakeClock) -> None:
    gateways = Gateways(clock)
    gateways.report("b", REPORT)
    gateways.report("a", GatewayReport(version=2, started_ns=1))
    gateways.report("a", GatewayReport(version=3, started_ns=1, refused="older"))
    assert [(one.id, one.report.version, one.report.refused, one.silent) for one in gateways.known()] == [
        ("a", 3, "older", False),
        ("b", 3, "", False),
    ]


def test_a_gateway_that_says_nothing_counts_as_silent_and_not_as_fine(clock: FakeClock) -> None:
    gateways = Gateways(clock)
    gateways.report("a", REPORT)
    clock.advance(SILENT_NS / NS_PER_S + 1)
    assert gateways.known()[0].silent
    gateways.report("a", REPORT)
    assert not gateways.known()[0].silent


def test_a_gateway_that_is_gone_for_long_is_forgotten_and_the_others_are_not(clock: FakeClock) -> None:
    gateways = Gateways(clock)
    gateways.report("old", REPORT)
    clock.advance(FORGOTTEN_NS / NS_PER_S - 10)
    gateways.report("new", REPORT)
    clock.advance(11)
    assert [one.id for one in gateways.known()] == ["new"]


def test_there_is_room_for_so_many_and_those_that_are_known_still_get_through(clock: FakeClock) -> None:
    gateways = Gateways(clock)
    for number in range(MAX_GATEWAYS):
        gateways.report(f"g{number}", REPORT)
    with pytest.raises(BackpressureError):
        gateways.report("one-more", REPORT)
    gateways.report("g0", REPORT)
    clock.advance(FORGOTTEN_NS / NS_PER_S + 1)
    gateways.report("one-more", REPORT)


@pytest.mark.parametrize("gateway_id", ["", "a" * 129, "a\nb", "\0"], ids=ascii)
def test_an_id_is_short_and_printable(clock: FakeClock, gateway_id: str) -> None:
    with pytest.raises(InputError, match="gateway_id"):
        Gateways(clock).report(gateway_id, REPORT)


@pytest.mark.parametrize(
    "report",
    [
        GatewayReport(version=1, started_ns=1, breakers=(BREAKER,) * (MAX_BREAKERS + 1)),
        GatewayReport(version=1, started_ns=1, counters={str(n): 1.0 for n in range(MAX_BREAKERS + 1)}),
    ],
    ids=["breakers", "counters"],
)
def test_a_report_is_bounded(clock: FakeClock, report: GatewayReport) -> None:
    with pytest.raises(InputError, match="breakers or counters"):
        Gateways(clock).report("a", report)


def test_a_report_with_a_field_that_is_not_known_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"version":1,"started_ns":1,"mood":"good"}', type=GatewayReport)
