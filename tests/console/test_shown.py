"""Values as people read them."""

import pytest

from holdfast.console.shown import ago, clock, cut_percent, duration, measured, moment, number, words

S = 1_000_000_000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (119, "119 s"), (120, "2 min"), (7_200, "2 h"), (172_800, "2 d"), (-300, "-5 min")],
)
def test_a_duration_has_the_unit_that_fits(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("at", "text"), [(100, "now"), (40, "60 s ago"), (-500, "10 min ago"), (400, "in 5 min")])
def test_a_time_is_told_from_now(at: int, text: str) -> None:
    assert ago(at * S, 100 * S) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (float("nan"), "–"), (float("inf"), "–"), (0, "0"), (12345.6, "12,346"), (0.5, "0.5"), (0.00001, "1e-05")],
)
def test_a_number_has_the_digits_that_matter(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.034, "probability", "3.4 %"),
        (0.43, "probability", "43 %"),
        (1500, "ms", "1.5 s"),
        (20, "ms", "20 ms"),
        (90_000_000, "s", "1042 d"),
        (0.012, "usd", "$0.012"),
        (1234.5, "usd", "$1,234.50"),
        (7, "count", "7"),
        (None, "count", "–"),
    ],
)
def test_a_metric_is_shown_in_its_unit(value: float | None, unit: str, text: str) -> None:
    assert measured(value, unit) == text


def test_times_are_utc() -> None:
    assert (moment(0), clock(61 * S)) == ("1970-01-01 00:00:00", "00:01:01")


def test_names_become_words() -> None:
    assert words("ungrounded_answer") == "ungrounded answer"


@pytest.mark.parametrize(("share", "told"), [(0.849, "84"), (0.85, "85"), (0.29, "29"), (1.0, "100"), (0.0, "0"), (0.9999, "99")])
def test_a_share_below_a_gate_never_looks_as_if_it_reached_it(share: float, told: str) -> None:
    assert cut_percent(share) == told
