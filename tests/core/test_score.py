import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.score import Direction, Failed, Family, Metric, Score, Span, Unit


def score(value: float) -> Score:
    return Score(trace_id="t", span_id="s", metric="latency", value=value, scorer="operations", version="1")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.001, -1e300])
def test_a_score_that_is_no_number_or_negative_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="latency must be finite and not negative"):
        score(value)


@given(st.floats(min_value=0, allow_infinity=False))
def test_any_finite_number_from_zero_is_a_score(value: float) -> None:
    assert score(value).value == value


def test_a_score_says_which_version_of_which_scorer_made_it() -> None:
    with pytest.raises(TypeError):
        Score(trace_id="t", span_id="s", metric="m", value=0.0)  # type: ignore[call-arg]


def test_a_score_does_not_change() -> None:
    with pytest.raises(AttributeError):
        score(1).value = 0  # type: ignore[misc]


def test_a_failure_has_no_value_that_could_pass_for_a_score() -> None:
    failed = Failed(trace_id="t", span_id="s", scorer="x", version="1", error_type="ValueError", message="no")
    assert not hasattr(failed, "value")


def test_a_metric_alarms_at_a_quarter_above_its_baseline_unless_it_says_otherwise() -> None:
    metric = Metric(
        name="m",
        family=Family.QUALITY,
        unit=Unit.PROBABILITY,
        direction=Direction.UP_IS_WORSE,
        failure_mode="hallucination",
        description="d",
    )
    assert (metric.margin, metric.hard, metric.harm) == (1.25, False, 1)


def test_a_span_names_the_text_that_it_is_in() -> None:
    assert Span("answer", 3, 9).field == "answer"
