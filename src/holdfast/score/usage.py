"""What it took: `tokens`, `input_tokens`, `output_tokens`, `cost`, `cache_hit`, `answer_length`, `steps`."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from holdfast.core.call import Call, Kind
from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.prices import price_of
from holdfast.score.protocol import score_of
from holdfast.score.reading import reading_of

MAX_CALLS = 200

TOKENS = Metric(
    name="tokens",
    family=Family.OPERATIONS,
    unit=Unit.TOKENS,
    direction=Direction.UP_IS_WORSE,
    failure_mode="token_explosion",
    description="Input and output tokens of all model calls of a request.",
    harm=0,
)
INPUT_TOKENS = Metric(
    name="input_tokens",
    family=Family.OPERATIONS,
    unit=Unit.TOKENS,
    direction=Direction.BOTH,
    failure_mode="prompt_size_change",
    description="Tokens that one model call was given, cached ones included.",
    harm=0,
)
OUTPUT_TOKENS = Metric(
    name="output_tokens",
    family=Family.OPERATIONS,
    unit=Unit.TOKENS,
    direction=Direction.BOTH,
    failure_mode="output_size_change",
    description="Tokens that one model call wrote, reasoning included.",
    harm=0,
)
COST = Metric(
    name="cost",
    family=Family.OPERATIONS,
    unit=Unit.USD,
    direction=Direction.UP_IS_WORSE,
    failure_mode="cost_explosion",
    description="US dollars of all model calls of a request: as reported, else from a dated price table; absent when unknown.",
    harm=0,
)
CACHE_HIT = Metric(
    name="cache_hit",
    family=Family.OPERATIONS,
    unit=Unit.PROBABILITY,
    direction=Direction.BOTH,
    failure_mode="cache_change",
    description="1 when a model call was answered from a cache, else the cached share of its input tokens.",
    harm=0,
)
ANSWER_LENGTH = Metric(
    name="answer_length",
    family=Family.OPERATIONS,
    unit=Unit.COUNT,
    direction=Direction.BOTH,
    failure_mode="answer_length_change",
    description="Words of the answer.",
    harm=0,
)
STEPS = Metric(
    name="steps",
    family=Family.OPERATIONS,
    unit=Unit.COUNT,
    direction=Direction.UP_IS_WORSE,
    failure_mode="step_explosion",
    description="Model and tool calls of a request.",
    harm=0,
)


@dataclass(frozen=True)
class Usage:
    """Tokens, money and steps as reported; nothing is guessed where a source is silent."""

    name: str = "usage"
    version: str = "1"
    metrics: tuple[Metric, ...] = (TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, COST, CACHE_HIT, ANSWER_LENGTH, STEPS)

    def score(self, trace: Trace) -> Iterable[Score]:
        """Per request `tokens`, `cost`, `answer_length` and `steps`; per model call the others."""
        reading = reading_of(trace)
        calls = trace.llm_calls
        scores = []
        for call in calls[:MAX_CALLS]:
            scores += self._of_call(call)
        counts = [n for c in calls for n in (c.usage.input_tokens, c.usage.output_tokens) if n is not None and n >= 0]
        if counts:
            scores.append(score_of(self, reading.anchor, TOKENS, sum(counts)))
        cost = _cost(calls)
        if cost is not None:
            scores.append(score_of(self, reading.anchor, COST, cost))
        if reading.answer_piece.tokens:
            scores.append(score_of(self, reading.anchor, ANSWER_LENGTH, len(reading.answer_piece.tokens)))
        tools = len(trace.of_kind(Kind.TOOL))
        if calls or tools:
            scores.append(score_of(self, trace.root, STEPS, len(calls) + tools))
        return scores

    def _of_call(self, call: Call) -> list[Score]:
        usage = call.usage
        scores = []
        if usage.input_tokens is not None and usage.input_tokens >= 0:
            scores.append(score_of(self, call, INPUT_TOKENS, usage.input_tokens))
        if usage.output_tokens is not None and usage.output_tokens >= 0:
            scores.append(score_of(self, call, OUTPUT_TOKENS, usage.output_tokens))
        if call.cache_hit is not None:
            scores.append(score_of(self, call, CACHE_HIT, float(call.cache_hit)))
        elif usage.cache_read_tokens is not None and usage.input_tokens:
            scores.append(score_of(self, call, CACHE_HIT, max(usage.cache_read_tokens, 0) / max(usage.input_tokens, 1)))
        return scores


def _cost(calls: tuple[Call, ...]) -> float | None:
    """None when one call has neither a reported cost nor a known price: a partial sum would look like a saving."""
    total, known = 0.0, False
    for call in calls:
        cost = call.cost_usd if call.cost_usd is not None else price_of(call.model, call.usage)
        if cost is None or not 0 <= cost < inf:
            return None
        total, known = total + cost, True
    return total if known else None
