"""`prompt_injection` in what the user wrote, `document_injection` in what was retrieved or what tools gave back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from holdfast.core.call import Call, Kind
from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.injection_features import NAMES, features
from holdfast.score.language import in_english
from holdfast.score.learned import VERSION, count_together, document_structure, grams_of, log_odds
from holdfast.score.pieces import Piece, piece_of
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import reading_of
from holdfast.score.text import capped, sigmoid

PROMPT_INJECTION = Metric(
    name="prompt_injection",
    family=Family.SAFETY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="prompt_injection",
    description="Probability that the user's input tries to override the application's instructions or to jailbreak the model.",
    harm=2,
)
DOCUMENT_INJECTION = Metric(
    name="document_injection",
    family=Family.SAFETY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="indirect_prompt_injection",
    description="Probability that a retrieved document or tool result gives the model instructions.",
    harm=3,
)


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Log-odds of an injection without any feature, and what each feature adds per occurrence."""

    intercept: float
    override: float
    extraction: float
    persona: float
    jailbreak: float
    pressure: float
    spoof: float
    exfiltrate: float
    addressed: float
    reader: float
    task: float
    encoded: float
    hidden: float
    invisible: float
    decoded: float
    leet: float

    @cached_property
    def factors(self) -> tuple[float, ...]:
        """Weights in the order of `injection_features.NAMES`."""
        return tuple([float(getattr(self, name)) for name in NAMES])


USER_WEIGHTS = Weights(
    intercept=-4.0,
    override=4.2,
    extraction=4.5,
    persona=1.8,
    jailbreak=1.7,
    pressure=0.6,
    spoof=2.2,
    exfiltrate=1.0,
    addressed=0.8,
    reader=0.0,
    task=0.0,
    encoded=1.2,
    hidden=1.5,
    invisible=0.8,
    decoded=3.0,
    leet=3.0,
)
DOCUMENT_WEIGHTS = Weights(
    intercept=-3.8,
    override=3.0,
    extraction=2.0,
    persona=1.2,
    jailbreak=1.3,
    pressure=0.3,
    spoof=2.0,
    exfiltrate=2.5,
    addressed=2.2,
    reader=1.4,
    task=1.4,
    encoded=1.0,
    hidden=2.8,
    invisible=0.3,
    decoded=2.0,
    leet=2.0,
)
"""Fitted with weights ≥ 0 on public corpora leaving one source out in turn, then moved: the intercept to the few attacks per
hundred of real traffic, and features that those corpora hardly have (spoofing, encodings, hidden text) to what they are worth.
"""

MAX_CALLS = 50
MAX_PIECES = 30


def combined(values: tuple[float, ...], weights: Weights) -> tuple[float, str]:
    """Probability that a text with these features is an injection, and the features that say so."""
    factors = weights.factors
    value = sigmoid(weights.intercept + sum([w * v for w, v in zip(factors, values, strict=True) if v]))
    if value < NOTABLE:
        return value, ""
    told = sorted(((w * v, name) for w, v, name in zip(factors, values, NAMES, strict=True) if w * v > 0), reverse=True)
    return value, "features: " + ", ".join(name for _, name in told[:4])


FOREIGN = 2.0
"""Log-odds by which the head must be surer of a prompt that is not English: it has seen few, and finds any a little odd."""
SURE = 0.7
"""Probability from which the hand-weighted features alone decide: disguises and languages that the heads never saw."""


@dataclass(frozen=True)
class Injection:
    """A learned head over n-grams and hand-made features; the same features, other weights, for people and for documents.

    What the hand-weighted features alone are sure of counts even where the head disagrees.
    """

    user_weights: Weights = USER_WEIGHTS
    document_weights: Weights = DOCUMENT_WEIGHTS
    name: str = "injection"
    version: str = f"2+{VERSION}"
    metrics: tuple[Metric, ...] = (PROMPT_INJECTION, DOCUMENT_INJECTION)

    def prepare(self, traces: Sequence[Trace]) -> None:
        """Counts the n-grams of all questions and contents together."""
        pieces = [piece for trace in traces for call in carrying(trace) for piece in content_of(call)]
        count_together({id(p): p for p in [*pieces, *(reading_of(trace).question_piece for trace in traces)]}.values())

    def score(self, trace: Trace) -> Iterable[Score]:
        """`prompt_injection` on the first model call (else the root), `document_injection` on each retrieval and tool call."""
        scores = []
        reading = reading_of(trace)
        if reading.question:
            value, why = judged("prompt_injection", reading.question_piece, self.user_weights)
            call = trace.llm_calls[0] if trace.llm_calls else trace.root
            scores.append(score_of(self, call, PROMPT_INJECTION, value, why))
        for call in carrying(trace):
            if pieces := content_of(call):
                value, why = max([self.document(piece) for piece in pieces])
                scores.append(score_of(self, call, DOCUMENT_INJECTION, value, why))
        return scores

    def document(self, piece: Piece) -> tuple[float, str]:
        """Probability that a document, or what a tool gave back, instructs the model, and what says so."""
        # The same documents come back in request after request.
        weights = self.document_weights
        return piece.once((DOCUMENT_INJECTION.name, weights), lambda _: judged(DOCUMENT_INJECTION.name, piece, weights))


def carrying(trace: Trace) -> list[Call]:
    """The calls that brought in text from outside."""
    return [c for c in trace.calls if c.documents or (c.tool_result and c.kind is Kind.TOOL)][:MAX_CALLS]


def content_of(call: Call) -> list[Piece]:
    """The texts that a call brought in."""
    texts = [capped(d.content) for d in call.documents[:MAX_PIECES] if d.content]
    if call.tool_result and call.kind is Kind.TOOL:
        texts.append(capped(call.tool_result))
    return [piece_of(text) for text in texts]


def judged(head: str, piece: Piece, weights: Weights) -> tuple[float, str]:
    """Probability that a text is an injection, and what says so."""
    found = piece.once("injection", features)
    by_hand, why = combined(found, weights)
    structure = document_structure(piece.text, found) if head == DOCUMENT_INJECTION.name else found
    logit = log_odds(head, grams_of(piece), structure)
    if head == PROMPT_INJECTION.name and logit > -2.0 * FOREIGN and not in_english(piece):
        logit -= FOREIGN
    learned = sigmoid(logit)
    if by_hand >= SURE and by_hand > learned:
        return by_hand, why
    return learned, f"learned head {VERSION}; {why or 'no feature by hand'}" if learned >= NOTABLE else ""
