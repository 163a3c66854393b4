from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from holdfast.core.score import Metric, Score
from holdfast.score.registry import SCORERS, SUMMARIES
from holdfast.score.run import Scoring
from holdfast.score.unsupported_claims import PARTS, UNSUPPORTED_CLAIMS, UnsupportedClaims
from tests.score.build import ANSWER, QUESTION, REFUNDS, exchange

ALONE = UnsupportedClaims(version="1")


def said(**values: float) -> list[Score]:
    return [Score(trace_id="t", span_id="s", metric=name, value=value, scorer="x", version="1") for name, value in values.items()]


def test_one_unsupported_fact_is_enough() -> None:
    (score,) = ALONE.summarise(said(unsupported_numbers=1.0, unsupported_entities=0.0))
    assert (score.value, score.why, score.span_id) == (1.0, "unsupported_numbers", "s")


def test_doubts_add_up() -> None:
    (score,) = ALONE.summarise(said(unsupported_numbers=0.5, tool_contradiction=0.5))
    assert score.value == pytest.approx(0.75)


@pytest.mark.parametrize("scores", [[], said(refusal=1.0)])
def test_without_a_checked_fact_it_does_not_apply(scores: list[Score]) -> None:
    assert ALONE.summarise(scores) == ()


def test_every_part_is_a_metric_of_some_scorer_whose_version_it_carries() -> None:
    (shipped,) = SUMMARIES
    for part in PARTS:
        (scorer,) = [s for s in SCORERS if part in {m.name for m in s.metrics}]
        assert scorer.version in shipped.version


def test_it_is_scored_after_the_scorers_and_counted_like_one() -> None:
    scoring = Scoring(SCORERS)
    (scored,) = scoring.score([exchange(f"{ANSWER} The fee is 77 euros.", QUESTION, REFUNDS)])
    values = {s.metric: s.value for s in scored.scores}
    assert values[UNSUPPORTED_CLAIMS.name] >= values["unsupported_numbers"] > 0
    assert scoring.coverage["unsupported_claims"].ran == 1


@dataclass(frozen=True)
class BrokenSummary:
    name: str = "broken_summary"
    version: str = "1"
    metrics: tuple[Metric, ...] = ()

    def summarise(self, scores: Sequence[Score]) -> tuple[Score, ...]:
        raise KeyError("no such score")


def test_a_summary_that_raises_is_told_as_a_failure_and_costs_nobody_else_anything() -> None:
    (scored,) = Scoring(SCORERS, [BrokenSummary()]).score([exchange(ANSWER, QUESTION, REFUNDS)])
    assert [f.scorer for f in scored.failures] == ["broken_summary"]
    assert scored.scores
