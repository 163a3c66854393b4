"""Charts are SVG that says in words what it draws, and nothing in it is markup that telemetry wrote."""

import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.console.charts import Mark, Plot, bar, line_chart, reliability_plot, stretch
from holdfast.drills.statistics import Bin

S = 1_000_000_000
VALUES = st.floats(0, 1e12, allow_nan=False)


def plot(points: list[tuple[int, float]], **more: object) -> Plot:
    fields: dict[str, object] = {"name": "refusal", "unit": "probability", "start_ns": 0, "end_ns": 100 * S, "points": points}
    return Plot(**{**fields, **more})  # type: ignore[arg-type]


@given(
    st.lists(st.tuples(st.integers(-10, 200).map(lambda n: n * S), VALUES), max_size=30),
    st.sampled_from(["probability", "ms", "count"]),
)
def test_whatever_is_drawn_is_well_formed(points: list[tuple[int, float]], unit: str) -> None:
    ElementTree.fromstring(line_chart(plot(points, unit=unit)))


def test_it_is_told_in_words() -> None:
    drawn = line_chart(
        plot([(0, 0.1), (S, 0.4)], baseline={"mean": 0.1, "low": 0.05, "high": 0.2}, marks=[Mark(S, "onset", "onset")])
    )
    assert 'aria-label="refusal: now 40 %, usually 10 %, onset at 00:00:01"' in drawn


def test_hostile_names_and_marks_stay_text() -> None:
    hostile = '"><script>alert(1)</script>'
    drawn = line_chart(plot([(0, 0.1), (S, 0.2)], name=hostile, marks=[Mark(S, hostile, hostile)]))
    assert "<script" not in drawn
    ElementTree.fromstring(drawn)


def test_no_scores_are_said_to_be_none() -> None:
    assert "no scores in this period" in line_chart(plot([]))


def test_a_mark_outside_of_the_period_is_not_drawn() -> None:
    assert "late" not in line_chart(plot([(0, 0.1)], marks=[Mark(500 * S, "change", "late")]))


@pytest.mark.parametrize(("share", "width"), [(-1.0, "0.0"), (0.25, "25.0"), (7.0, "100.0")])
def test_a_bar_stays_within_its_rail(share: float, width: str) -> None:
    assert f'width="{width}"' in bar(share, "top")


@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (1.0, 1.0), (0.5, 0.2), (-3.0, 9.0)])
def test_a_stretch_is_always_seen(start: float, end: float) -> None:
    rectangle = ElementTree.fromstring(stretch(start, end))[1]
    assert float(rectangle.attrib["width"]) >= 0.6
    assert 0 <= float(rectangle.attrib["x"]) <= 99.4


def test_marks_that_would_stand_on_each_other_are_one_and_counted() -> None:
    marks = [
        *(Mark((90 + n // 3) * S, "change", f"deploy {n}") for n in range(9)),
        Mark(5 * S, "change", "early"),
        Mark(91 * S, "onset", "onset"),
    ]
    drawn = line_chart(plot([(0, 0.1), (S, 0.2)], marks=marks))
    assert "9 × change" in drawn
    assert "deploy" not in drawn
    for alone in (">early<", ">onset<"):
        assert alone in drawn


@given(st.lists(st.builds(Bin, st.floats(0, 1), st.floats(0, 1), st.integers(0, 10_000)), max_size=20))
def test_a_reliability_plot_is_well_formed_and_has_a_dot_for_each_bin(bins: list[Bin]) -> None:
    assert sum(element.tag == "circle" for element in ElementTree.fromstring(reliability_plot(bins))) == len(bins)


def test_a_reliability_plot_is_told_in_words_and_its_line_rises_with_what_was_right() -> None:
    drawn = reliability_plot([Bin(0.5, 0.4, 10), Bin(0.9, 0.95, 30)])
    assert 'aria-label="50 % sure, 40 % right, 10 diagnoses; 90 % sure, 95 % right, 30 diagnoses"' in drawn
    heights = [float(circle.attrib["cy"]) for circle in ElementTree.fromstring(drawn) if circle.tag == "circle"]
    assert heights[0] > heights[1]
