"""Metrics now beside before."""

from collections.abc import Iterator

import pytest

from holdfast.core.errors import InputError
from holdfast.telemetry.overview import Windows
from holdfast.telemetry.store import TelemetryStore
from tests.telemetry.test_search import END, scored

MINUTE = 60_000_000_000
WINDOWS = Windows(END - 10 * MINUTE, END - 5 * MINUTE, END)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TelemetryStore]:
    with TelemetryStore(f"chdb://{tmp_path_factory.mktemp('overview')}") as opened:
        opened.append([scored(n, END - 9 * MINUTE + n, score=0.1 * n) for n in (1, 2, 3)])
        opened.append([scored(n, END - MINUTE + n, score=0.8) for n in (4, 5)])
        opened.append([scored(9, END - MINUTE, service="bank", score=0.5)])
        yield opened


def test_every_application_has_its_means_counts_and_spread(store: TelemetryStore) -> None:
    bank, shop = store.heat(["refusal", "other"], WINDOWS)
    assert (shop.service, shop.key, shop.recent_count, shop.before_count) == ("shop", "refusal", 2, 3)
    assert shop.recent == pytest.approx(0.8)
    assert shop.before == pytest.approx(0.2)
    assert shop.deviation == pytest.approx(0.0816, abs=1e-3)
    assert (bank.recent, bank.before, bank.deviation) == (0.5, None, 0.0)


@pytest.mark.parametrize(("services", "expected"), [(frozenset({"bank"}), ["bank"]), (frozenset(), []), (None, ["bank", "shop"])])
def test_only_applications_that_one_may_see_are_told(
    store: TelemetryStore, services: frozenset[str] | None, expected: list[str]
) -> None:
    assert [beside.service for beside in store.heat(["refusal"], WINDOWS, services)] == expected


def test_a_call_with_two_values_counts_for_both(store: TelemetryStore) -> None:
    found = store.breakdown("shop", "refusal", "route", WINDOWS)
    assert [(row.key, row.recent_count, row.before_count) for row in found] == [("/chat", 2, 3), ("/other", 2, 3)]


def test_a_dimension_that_is_none_is_refused(store: TelemetryStore) -> None:
    with pytest.raises(InputError, match="colour"):
        store.breakdown("shop", "refusal", "colour", WINDOWS)


def test_the_oldest_call_is_known(store: TelemetryStore) -> None:
    assert store.oldest_ns() == END - 9 * MINUTE + 1
