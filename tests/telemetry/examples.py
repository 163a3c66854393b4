"""Traces for the tests of the store."""

from typing import Any

from holdfast.core.call import Call, Kind
from holdfast.core.clock import NS_PER_S
from holdfast.core.score import Failed, Score
from holdfast.core.trace import ScoredTrace, Trace

T0 = 20_000 * 86_400 * NS_PER_S
"""Midnight of a UTC day."""


def call(n: int = 1, span: int = 1, **fields: Any) -> Call:
    """Call `span` of trace `n`, which ends `n` seconds after T0."""
    known: dict[str, Any] = {
        "trace_id": f"{n:032x}",
        "span_id": f"{span:016x}",
        "kind": Kind.LLM,
        "start_ns": T0 + n * NS_PER_S - 5,
        "end_ns": T0 + n * NS_PER_S,
        "dimensions": {"service.name": ("support",), "route": ("/chat",), "tool": ("search", "refund")},
    }
    return Call(**known | fields)


def score(of: Call, metric: str = "latency", value: float = 1.0, **fields: Any) -> Score:
    known: dict[str, Any] = {
        "trace_id": of.trace_id,
        "span_id": of.span_id,
        "metric": metric,
        "value": value,
        "scorer": metric,
        "version": "1",
    }
    return Score(**known | fields)


def failed(of: Call, scorer: str = "toxicity", message: str = "model missing") -> Failed:
    return Failed(
        trace_id=of.trace_id, span_id=of.span_id, scorer=scorer, version="1", error_type="FileNotFoundError", message=message
    )


def scored(*calls: Call, scores: tuple[Score, ...] = (), failures: tuple[Failed, ...] = ()) -> ScoredTrace:
    return ScoredTrace(Trace(calls[0].trace_id, calls), scores, failures)


def simple(n: int, value: float = 1.0, **fields: Any) -> ScoredTrace:
    """A trace of one call with one score of latency."""
    one = call(n, **fields)
    return scored(one, scores=(score(one, value=value),))
