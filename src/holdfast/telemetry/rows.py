"""Values of the core as columns of the store's tables, and back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from holdfast.core.call import Call, Dimensions, EvaluationRecord, MetricPoint
from holdfast.core.change import Change
from holdfast.core.score import Failed, Score, Span
from holdfast.core.trace import ScoredTrace

_T = TypeVar("_T", bound=msgspec.Struct)

Columns = dict[str, list[Any]]
"""Column name → values, all of one length."""

MAX_INT64 = 2**63 - 1
MAX_DEPTH = 64
"""Nesting of `attributes` beyond which a value that cannot be encoded is cut."""

_encode_json = msgspec.json.Encoder(order="deterministic").encode
_encode = msgspec.msgpack.Encoder().encode
_decode_call = msgspec.msgpack.Decoder(Call).decode
_decode_spans = msgspec.json.Decoder(tuple[Span, ...]).decode
decode_change = msgspec.msgpack.Decoder(Change).decode
decode_evaluation = msgspec.msgpack.Decoder(EvaluationRecord).decode
decode_labels = msgspec.json.Decoder(dict[str, str]).decode
decode_dimensions = msgspec.json.Decoder(Dimensions).decode


class ScoredCall(msgspec.Struct, frozen=True):
    """One row of `calls`: a call with the scores and failures that are anchored on it."""

    call: Call
    scores: Sequence[Score]
    failures: Sequence[Failed]


def calls_of(scored: Sequence[ScoredTrace]) -> dict[tuple[str, str], ScoredCall]:
    """Every call once, by (trace_id, span_id); the first of equal ids wins.

    What names a span that the trace does not have is kept on the root, so that nothing is lost.
    """
    found: dict[tuple[str, str], ScoredCall] = {}
    for one in scored:
        anchored: dict[str, tuple[list[Score], list[Failed]]] = {call.span_id: ([], []) for call in one.trace.calls}
        root = anchored[one.trace.root.span_id]
        for score in one.scores:
            anchored.get(score.span_id, root)[0].append(score)
        for failure in one.failures:
            anchored.get(failure.span_id, root)[1].append(failure)
        for call in one.trace.calls:
            found.setdefault(call.key, ScoredCall(call, *anchored[call.span_id]))
    return found


def call_columns(rows: Sequence[ScoredCall]) -> Columns:
    """The columns of `calls`."""
    encoded = [encode_call(row.call) for row in rows]
    calls = [call for call, _ in encoded]
    columns: Columns = {
        "trace_id": [c.trace_id for c in calls],
        "span_id": [c.span_id for c in calls],
        "parent_span_id": [c.parent_span_id for c in calls],
        "service": [c.service for c in calls],
        "name": [c.name for c in calls],
        "kind": [c.kind.value for c in calls],
        "status": [c.status.value for c in calls],
        "error_type": [c.error_type for c in calls],
        "start_ns": [within(c.start_ns) for c in calls],
        "end_ns": [within(c.end_ns) for c in calls],
        "model": [c.model for c in calls],
        "response_id": [c.response_id for c in calls],
        "input_tokens": [_within_or_none(c.usage.input_tokens) for c in calls],
        "output_tokens": [_within_or_none(c.usage.output_tokens) for c in calls],
        "cost_usd": [c.cost_usd for c in calls],
        "dimensions": [c.dimensions for c in calls],
        "labels": [_encode_json(c.dimensions).decode() for c in calls],
        "body": [body for _, body in encoded],
    }
    scores = [row.scores for row in rows]
    columns |= {
        "scores.name": [[s.metric for s in of] for of in scores],
        "scores.value": [[s.value for s in of] for of in scores],
        "scores.scorer": [[s.scorer for s in of] for of in scores],
        "scores.version": [[s.version for s in of] for of in scores],
        "scores.why": [[storable(s.why) for s in of] for of in scores],
        "scores.spans": [[_spans(s) for s in of] for of in scores],
    }
    failures = [row.failures for row in rows]
    return columns | {
        "failures.scorer": [[f.scorer for f in of] for of in failures],
        "failures.version": [[f.version for f in of] for of in failures],
        "failures.error_type": [[f.error_type for f in of] for of in failures],
        "failures.message": [[storable(f.message) for f in of] for of in failures],
    }


def evaluation_columns(records: Sequence[EvaluationRecord]) -> Columns:
    """The columns of `evaluations`."""
    records = [sound(r, EvaluationRecord) for r in records]
    return {
        "service": [r.service for r in records],
        "time_ns": [within(r.time_ns) for r in records],
        "trace_id": [r.trace_id for r in records],
        "span_id": [r.span_id for r in records],
        "response_id": [r.response_id for r in records],
        "name": [r.evaluation.name for r in records],
        "value": [r.evaluation.value for r in records],
        "label": [r.evaluation.label for r in records],
        "explanation": [r.evaluation.explanation for r in records],
        "annotator": [r.evaluation.annotator for r in records],
        "body": [_encode(r) for r in records],
    }


def change_columns(changes: Sequence[Change]) -> Columns:
    """The columns of `changes`."""
    return {
        "source": [c.source for c in changes],
        "id": [c.id for c in changes],
        "time_ns": [within(c.time_ns) for c in changes],
        "kind": [c.kind.value for c in changes],
        "service": [c.service for c in changes],
        "body": [_encode(c) for c in changes],
    }


def point_columns(points: Sequence[MetricPoint]) -> Columns:
    """The columns of `metric_points`. Attributes are written in one order, so that equal points collapse."""
    points = [sound(p, MetricPoint) for p in points]
    return {
        "service": [p.service for p in points],
        "name": [p.name for p in points],
        "time_ns": [within(p.time_ns) for p in points],
        "value": [p.value for p in points],
        "unit": [p.unit for p in points],
        "attributes": [_encode_json(p.attributes).decode() for p in points],
    }


def encode_call(call: Call) -> tuple[Call, bytes]:
    """The call and its bytes. What no store can hold (lone surrogates, integers over 64 bits) is replaced, not refused."""
    try:
        return call, _encode(call)
    except (UnicodeEncodeError, OverflowError, RecursionError, TypeError):
        bare = msgspec.structs.replace(call, attributes={}, resource={})
        attributes, resource = _storable_tree(call.attributes, str), _storable_tree(call.resource, str)
        repaired = msgspec.structs.replace(_repaired(bare, Call), attributes=attributes, resource=resource)
        return repaired, _encode(repaired)


def decode_call(body: bytes) -> Call:
    """The call that `encode_call` wrote."""
    return _decode_call(body)


def decode_score(trace_id: str, span_id: str, fields: Sequence[Any]) -> Score:
    """A score of its stored name, value, scorer, version, why, spans."""
    name, value, scorer, version, why, spans = fields
    return Score(
        trace_id=trace_id,
        span_id=span_id,
        metric=name,
        value=value,
        scorer=scorer,
        version=version,
        why=why,
        spans=_decode_spans(spans) if spans else (),
    )


def decode_failure(trace_id: str, span_id: str, fields: Sequence[Any]) -> Failed:
    """A failure of its stored scorer, version, error_type, message."""
    scorer, version, error_type, message = fields
    return Failed(trace_id=trace_id, span_id=span_id, scorer=scorer, version=version, error_type=error_type, message=message)


def storable(text: str) -> str:
    """Text without lone surrogates, which have no UTF-8 form."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def within(number: int) -> int:
    """A number clipped to [0, 2⁶³)."""
    return min(max(number, 0), MAX_INT64)


def _within_or_none(number: int | None) -> int | None:
    return None if number is None else within(number)


def _spans(score: Score) -> str:
    return _encode_json(score.spans).decode() if score.spans else ""


def sound(value: _T, kind: type[_T]) -> _T:
    """The value as any store can hold it: itself, unless it has lone surrogates or numbers out of range."""
    try:
        _encode(value)
    except (UnicodeEncodeError, OverflowError):
        return _repaired(value, kind)
    return value


def _repaired(value: _T, kind: type[_T]) -> _T:
    return msgspec.convert(_storable_tree(msgspec.to_builtins(value), within), kind)


def _storable_tree(value: Any, large: Callable[[int], object], depth: int = 0) -> Any:
    """`value` with every leaf made storable, `large` integers too; what is nested deeper than `MAX_DEPTH` becomes a marker."""
    if depth > MAX_DEPTH:
        return "(nested too deeply)"
    match value:
        case str():
            return storable(value)
        case bool() | float() | bytes() | None:
            return value
        case int():
            return value if -(2**63) <= value < 2**64 else large(value)
        case Mapping():
            return {_storable_tree(k, large, depth + 1): _storable_tree(v, large, depth + 1) for k, v in value.items()}
        case list() | tuple():
            return [_storable_tree(v, large, depth + 1) for v in value]
        case _:
            return storable(str(value))
