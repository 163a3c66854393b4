"""`negative_feedback` and `evaluation.*`: what people and other tools said of the answer."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

from holdfast.core.call import Call, Evaluation
from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import score_of
from holdfast.score.text import listed, shortened

NEGATIVE_FEEDBACK = Metric(
    name="negative_feedback",
    family=Family.OPERATIONS,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="user_dissatisfaction",
    description="How unhappy the user was: thumbs, stars, -1..1, 0..1 or labels, brought to 0 (content) … 1 (unhappy).",
    harm=1,
)
FEEDBACK_NAMES = frozenset(
    {
        "user_feedback",
        "feedback",
        "user_rating",
        "rating",
        "thumbs",
        "thumb",
        "user_score",
        "csat",
        "user_satisfaction",
        "satisfaction",
        "stars",
        "like",
        "user_feedback_score",
        "feedback_score",
    }
)
_GOOD_NAMES = """
    faithfulness groundedness grounded relevance answer_relevance answer_relevancy context_relevance context_precision
    context_recall correctness answer_correctness helpfulness coherence fluency completeness conciseness quality
    similarity accuracy qa_correctness instruction_following citation_accuracy response_quality
"""
GOOD_IS_HIGH = tuple(_GOOD_NAMES.split())
"""Evaluations of which a high value is good, by slug."""
_BAD_NAMES = """
    hallucination toxicity bias harmfulness jailbreak prompt_injection pii_leakage violence hate sexual self_harm
    maliciousness profanity irrelevance
"""
BAD_IS_HIGH = tuple(_BAD_NAMES.split())
"""Evaluations of which a high value is bad, by slug."""
_GOOD_LABELS = listed("""
    pass passed good positive thumbs_up up like liked yes true correct factual faithful grounded relevant helpful
    non-toxic not_toxic safe satisfied supported no_hallucination ok happy
""")
_BAD_LABELS = listed("""
    fail failed bad negative thumbs_down down dislike disliked no false incorrect hallucinated hallucination
    unfaithful ungrounded irrelevant unhelpful toxic unsafe dissatisfied unsupported unrelated unhappy
""")
_SLUG = re.compile(r"[^a-z0-9]+")
MAX_EVALUATIONS = 100


def slug(name: str) -> str:
    """Snake case of at most 64 characters: `answerRelevancy` and `Answer Relevancy` are `answer_relevancy`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name[:100])
    return _SLUG.sub("_", spaced.lower()).strip("_")[:64] or "unnamed"


def evaluation_metric(name: str) -> Metric:
    """The metric of evaluations of this slug. One of unknown direction is information only."""
    known = name in GOOD_IS_HIGH or name in BAD_IS_HIGH
    return Metric(
        name=f"evaluation.{name}",
        family=Family.QUALITY,
        unit=Unit.PROBABILITY,
        direction=Direction.UP_IS_WORSE if known else Direction.INFORMATION,
        failure_mode=f"low_{name}" if name in GOOD_IS_HIGH else name,
        description=f"External evaluation `{name}` as the probability of a failure"
        + (" (1 - value)." if name in GOOD_IS_HIGH else "." if known else "; its direction is unknown."),
        harm=1,
    )


_KNOWN = {name: evaluation_metric(name) for name in (*GOOD_IS_HIGH, *BAD_IS_HIGH)}


def _scaled(value: float) -> float:
    """A value of an unknown scale in [0, 1]: -1..1, 0..1, 0..5, 0..10, 0..100."""
    if value < 0:
        return max(0.0, (value + 1.0) / 2.0)
    for top in (1.0, 5.0, 10.0, 100.0):
        if value <= top:
            return value / top
    return 1.0


def _goodness(evaluation: Evaluation) -> float | None:
    """How good a label or value is, in [0, 1], where high values are good; None when neither tells."""
    label = evaluation.label.strip().lower().replace(" ", "_")
    if label in _GOOD_LABELS:
        return 1.0
    if label in _BAD_LABELS:
        return 0.0
    value = evaluation.value
    return _scaled(value) if value is not None and isfinite(value) else None


def unhappiness(evaluation: Evaluation) -> float | None:
    """User feedback as 0 (content) … 1 (unhappy); None when it tells nothing. Stars run from 1 to 5."""
    value = evaluation.value
    if value is not None and isfinite(value):
        if 1.0 < value <= 5.0 or (value == 1.0 and ("star" in evaluation.name.lower() or "rating" in evaluation.name.lower())):
            return 1.0 - (value - 1.0) / 4.0
        if value == 0.0 and not evaluation.label:
            return 1.0
    good = _goodness(evaluation)
    return None if good is None else 1.0 - good


@dataclass(frozen=True)
class Feedback:
    """Passes user feedback and external evaluations on, each brought to the probability of a failure."""

    name: str = "feedback"
    version: str = "1"
    metrics: tuple[Metric, ...] = (NEGATIVE_FEEDBACK, *_KNOWN.values())

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score per evaluation, on the call that carries it (the first 100 of a trace)."""
        given = [(call, e) for call in trace.calls if call.evaluations for e in call.evaluations]
        return [s for call, e in given[:MAX_EVALUATIONS] if (s := self._one(call, e)) is not None]

    def _one(self, call: Call, evaluation: Evaluation) -> Score | None:
        name = slug(evaluation.name)
        why = shortened(evaluation.explanation or evaluation.label, 100)
        if name in FEEDBACK_NAMES:
            value = unhappiness(evaluation)
            return None if value is None else score_of(self, call, NEGATIVE_FEEDBACK, value, why if value > 0.5 else "")
        value = self._risk(name, evaluation)
        return None if value is None else score_of(self, call, _KNOWN.get(name) or evaluation_metric(name), value, why)

    @staticmethod
    def _risk(name: str, evaluation: Evaluation) -> float | None:
        if name in BAD_IS_HIGH:
            value = evaluation.value
            if value is not None and isfinite(value):
                return _scaled(value)
            good = _goodness(evaluation)
        else:
            good = _goodness(evaluation)
            if name not in GOOD_IS_HIGH:
                return good
        return None if good is None else 1.0 - good
