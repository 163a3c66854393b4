"""Every scorer, one line each, and the metrics that they define. To add one: a file, a line here, a test."""

from math import inf

from holdfast.core.score import Metric
from holdfast.score.attack import Attack
from holdfast.score.citations import Citations
from holdfast.score.confidence import Confidence
from holdfast.score.conversation import Conversation
from holdfast.score.delivery import Delivery
from holdfast.score.drift import Drift
from holdfast.score.duplicate_answer import DuplicateAnswer
from holdfast.score.feedback import Feedback, evaluation_metric
from holdfast.score.garbled import Garbled
from holdfast.score.grounding import Grounding
from holdfast.score.guardrails import Guardrails
from holdfast.score.language import Language
from holdfast.score.latency import Latency
from holdfast.score.leak import Leak
from holdfast.score.markup import Markup
from holdfast.score.model_mismatch import ModelMismatch
from holdfast.score.output_format import OutputFormat
from holdfast.score.parameters import Parameters
from holdfast.score.policy import Policy
from holdfast.score.protocol import Scorer, Summary
from holdfast.score.question_kind import QuestionKind
from holdfast.score.refusal import Refusal
from holdfast.score.relevance import Relevance
from holdfast.score.repetition import Repetition
from holdfast.score.retrieval import Retrieval
from holdfast.score.safety import NEVER, Safety
from holdfast.score.second import Limited
from holdfast.score.sensitive import SensitiveData
from holdfast.score.template import Template
from holdfast.score.tenancy import Tenancy
from holdfast.score.tool_arguments import ToolArguments
from holdfast.score.tool_choice import ToolChoice
from holdfast.score.tool_contradiction import ToolContradiction
from holdfast.score.tools import Tools
from holdfast.score.truncation import Truncation
from holdfast.score.unsupported_claims import UnsupportedClaims
from holdfast.score.usage import Usage

SCORERS: tuple[Scorer, ...] = (
    Grounding(),
    Citations(),
    Relevance(),
    Refusal(),
    Truncation(),
    OutputFormat(),
    Template(),
    Repetition(),
    Language(),
    Garbled(),
    DuplicateAnswer(),
    Conversation(),
    Drift(),
    QuestionKind(),
    Confidence(),
    Delivery(),
    Attack(),
    Leak(),
    SensitiveData(),
    Safety(),
    Policy(),
    Markup(),
    Guardrails(),
    Tenancy(),
    Retrieval(),
    Tools(),
    ToolArguments(),
    ToolChoice(),
    ToolContradiction(),
    Latency(),
    Usage(),
    ModelMismatch(),
    Parameters(),
    Feedback(),
)
"""Defaults of every scorer. An application's configuration replaces members by name."""

_FIRST: tuple[Scorer, ...] = (
    Attack(unsure=NEVER, unsure_document=NEVER, version=f"{Attack().version}, first"),
    Grounding(unsure=NEVER, version=f"{Grounding().version}, first"),
    Safety(unsure_toxicity=NEVER, unsure_request=NEVER, unsure_output=NEVER, version=f"{Safety().version}, first"),
)
INLINE_SCORERS: tuple[Scorer, ...] = tuple({s.name: s for s in _FIRST}.get(s.name, s) for s in SCORERS)
"""The same without second opinions: the encoder is never asked. Their versions differ, for so do the values that they give."""


def scorers_with(share: float) -> tuple[Scorer, ...]:
    """Every scorer, second opinions taking at most `share` of one processor core: none at 0, all that are wanted at infinity.

    Raises:
        ValueError: `share` is below 0.
    """
    if share == 0.0:
        return INLINE_SCORERS
    if share == inf:
        return SCORERS
    second = Limited(share)
    limited: tuple[Scorer, ...] = (Attack(second=second), Grounding(second=second), Safety(second=second))
    by_name = {s.name: s for s in limited}
    return tuple(by_name.get(s.name, s) for s in SCORERS)


SUMMARIES: tuple[Summary, ...] = (UnsupportedClaims(version=f"1+{Grounding().version}+{ToolContradiction().version}"),)
"""What is said of a trace from the scores of all scorers."""

_SOURCES: tuple[Scorer | Summary, ...] = (*SCORERS, *SUMMARIES)

METRICS: dict[str, Metric] = {metric.name: metric for source in _SOURCES for metric in source.metrics}
"""Metric name → definition. Evaluations of names that nobody has heard of are not here: ask `metric_named`."""

EVALUATION = "evaluation."


def metric_named(name: str) -> Metric | None:
    """The definition of any metric that a score may carry; None for a name that is none."""
    if name in METRICS or not name.startswith(EVALUATION):
        return METRICS.get(name)
    return evaluation_metric(name.removeprefix(EVALUATION))
