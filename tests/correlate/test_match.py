import pytest

from holdfast.core.signal import Signal
from holdfast.correlate.correlator import Correlator
from holdfast.correlate.match import Why, disjoint, nested, why_joined
from holdfast.correlate.policy import CorrelatePolicy
from tests.correlate.signals import HOUR, Book, shown, signal
from tests.detect.simulation import METRICS


def why(new: Signal, *old: Signal) -> Why | None:
    book = Book(Correlator(METRICS))
    (incident,) = book.at(60, *old)
    return why_joined(new, incident, CorrelatePolicy())


FIRST = signal(segment="route=/a", exemplars=shown("t1", "t2"))


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (signal(segment="route=/a", onset_s=5 * HOUR), Why.SAME_STREAM),
        (signal(onset_s=5 * HOUR), Why.SAME_STREAM),
        (signal("refusal", "route=/b", exemplars=shown("t2")), Why.SAME_CALLS),
        (signal(segment="route=/b", onset_s=60), Why.SAME_METRIC),
        (signal("refusal", "route=/a", onset_s=60), Why.SAME_SEGMENT),
        (signal("refusal", onset_s=60), Why.SAME_SEGMENT),
        (signal("refusal", "region=eu", onset_s=60), Why.SAME_TIME),
        (signal("refusal", "route=/b", onset_s=60), None),
        (signal(segment="route=/b", onset_s=2 * HOUR), None),
        (signal("refusal", "route=/a", onset_s=2 * HOUR), None),
        (signal("refusal", "route=/b", onset_s=2 * HOUR, exemplars=shown("t1")), None),
        (signal(service="billing"), None),
    ],
)
def test_a_signal_joins_for_the_strongest_reason_there_is(new: Signal, expected: Why | None) -> None:
    assert why(new, FIRST) is expected


def test_a_stream_that_took_long_to_alarm_is_given_a_wider_window() -> None:
    slow = signal("refusal", onset_s=1200, detected_ns=signal().detected_ns + int(3 * HOUR * 1e9))
    quick = signal("refusal", onset_s=1200)
    assert why(slow, signal()) is Why.SAME_SEGMENT
    assert why(quick, signal()) is None


def test_segments_nest_or_exclude_each_other() -> None:
    whole, a, b, eu = (signal(segment=s).segment for s in ("", "route=/a", "route=/b", "region=eu"))
    assert nested(whole, a)
    assert nested(a, a)
    assert not nested(a, eu)
    assert disjoint(a, b)
    assert not disjoint(a, eu)
    assert not disjoint(whole, a)
