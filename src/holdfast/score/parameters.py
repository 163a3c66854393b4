"""What a model call was asked for, and how steps failed: evidence that names a cause, and never an alarm."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import inf
from typing import Self

import re2

from holdfast.core.call import Call, Kind, Status
from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import score_of

MAX_CALLS = 200
MAX_MODELS = 2_000
DAY_NS = 86_400 * 10**9
NS_PER_HOUR = 3600 * 10**9


def _evidence(name: str, unit: Unit, failure_mode: str, description: str) -> Metric:
    return Metric(
        name=name,
        family=Family.OPERATIONS,
        unit=unit,
        direction=Direction.INFORMATION,
        failure_mode=failure_mode,
        description=description,
        harm=0,
    )


TEMPERATURE = _evidence("temperature", Unit.COUNT, "sampling_change", "Sampling temperature that a model call asked for.")
MAX_TOKENS = _evidence("max_tokens", Unit.TOKENS, "limit_change", "Most output tokens that a model call asked for.")
TOOLS_OFFERED = _evidence(
    "tools_offered", Unit.COUNT, "tools_change", "Tools that a request's model calls were offered; 0 where tools were forbidden."
)
MODEL_ERROR = _evidence("model_error", Unit.PROBABILITY, "model_failure", "1 when a model call ended in an error, else 0.")
TIMEOUT = _evidence("timeout", Unit.PROBABILITY, "timeout", "1 when a step of the request timed out, else 0.")
RATE_LIMITED = _evidence("rate_limited", Unit.PROBABILITY, "rate_limit", "1 when a step of the request was throttled, else 0.")
OWN_ERROR = _evidence(
    "own_error",
    Unit.PROBABILITY,
    "own_failure",
    "1 when the request failed though none of its model, tool and retrieval calls did, else 0.",
)
NEW_FINGERPRINT = _evidence(
    "new_fingerprint",
    Unit.PROBABILITY,
    "model_revision",
    "1 when the provider's backend of a model is one that was first seen within the last day, else 0.",
)

LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens")
_TIMEOUT = re2.compile(r"(?i)time[d_ -]?out|deadline|\b(?:408|504)\b")
_THROTTLED = re2.compile(r"(?i)rate.?limit|too.?many.?requests|throttl|quota|overloaded|resource.?exhausted|\b(?:429|529)\b")
_STEPS = frozenset({Kind.LLM, Kind.TOOL, Kind.RETRIEVAL, Kind.EMBEDDING, Kind.RERANK})

Known = OrderedDict[tuple[str, str], dict[str, int]]
"""(application, model) → backend → end of its first call."""


@dataclass(frozen=True)
class Parameters:
    """Reads request parameters and errors; remembers the backends of each model."""

    name: str = "parameters"
    version: str = "1"
    metrics: tuple[Metric, ...] = (
        TEMPERATURE,
        MAX_TOKENS,
        TOOLS_OFFERED,
        MODEL_ERROR,
        TIMEOUT,
        RATE_LIMITED,
        OWN_ERROR,
        NEW_FINGERPRINT,
    )
    _known: Known = field(default_factory=OrderedDict, repr=False, compare=False)

    def fresh(self) -> Self:
        """The same scorer without memories."""
        return replace(self, _known=OrderedDict())

    def score(self, trace: Trace) -> Iterable[Score]:
        """Per model call its parameters and whether it failed; per request the others."""
        root, models = trace.root, trace.llm_calls[:MAX_CALLS]
        scores = [score for call in models for score in self._of_model(call, trace.service)]
        failed = [c for c in trace.calls[:MAX_CALLS] if c.status is Status.ERROR or c.error_type]
        told = " ".join(f"{c.error_type[:100]} {c.error_message[:300]}" for c in failed[:8])
        scores.append(score_of(self, root, TIMEOUT, float(bool(told and _TIMEOUT.search(told)))))
        scores.append(score_of(self, root, RATE_LIMITED, float(bool(told and _THROTTLED.search(told)))))
        own = root.status is Status.ERROR and not any(c.kind in _STEPS for c in failed)
        scores.append(score_of(self, root, OWN_ERROR, float(own)))
        offered = [len(c.tool_definitions) for c in models if c.tool_definitions]
        forbidden = any(c.parameters.get("tool_choice") == "none" for c in models)
        if offered or forbidden:
            scores.append(score_of(self, root, TOOLS_OFFERED, 0 if forbidden else max(offered)))
        return scores

    def _of_model(self, call: Call, service: str) -> Iterable[Score]:
        yield score_of(self, call, MODEL_ERROR, float(call.status is Status.ERROR))
        temperature = _number(call.parameters.get("temperature"))
        if temperature is not None:
            yield score_of(self, call, TEMPERATURE, temperature)
        limit = next((n for key in LIMITS if (n := _number(call.parameters.get(key))) is not None), None)
        if limit is not None:
            yield score_of(self, call, MAX_TOKENS, limit)
        if call.system_fingerprint:
            yield score_of(self, call, NEW_FINGERPRINT, float(self._is_new(call, service)))

    def _is_new(self, call: Call, service: str) -> bool:
        """Backends seen in a model's first hour are the ones that it began with."""
        key = service, call.model[:200]
        seen = self._known.setdefault(key, {})
        self._known.move_to_end(key)
        if len(self._known) > MAX_MODELS:
            self._known.popitem(last=False)
        first = seen.setdefault(call.system_fingerprint[:100], call.end_ns)
        if len(seen) > MAX_CALLS:
            del seen[next(iter(seen))]
        return first - min(seen.values(), default=first) > NS_PER_HOUR and call.end_ns - first < DAY_NS


def _number(value: float | int | str | bool | None) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < inf else None
