"""OTLP bodies → records: decode, redact once, map. A faulty item is rejected alone, with its place and the reason."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple

from holdfast.context.originals import Original
from holdfast.core.errors import InputError
from holdfast.ingest.otlp import json_body, protobuf
from holdfast.ingest.otlp.json_bounds import check_count, check_weight
from holdfast.ingest.otlp.logs import map_log
from holdfast.ingest.otlp.metrics import map_point
from holdfast.ingest.otlp.raw import RawLog, RawPoint, RawSpan, check_log, check_span, check_time
from holdfast.ingest.otlp.redaction import Redaction, Redactor
from holdfast.ingest.otlp.spans import map_span
from holdfast.ingest.record import Decoded, Record, Rejected

PART_RECORDS = 32
"""Records that are given out together."""


class Encoding(StrEnum):
    """How a body is written, named by its media type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


def read_traces(body: bytes, encoding: Encoding, redactor: Redactor, now_ns: int | None = None) -> Iterator[Decoded]:
    """An ExportTraceServiceRequest → calls, a few at a time, so that not all of them are in memory together.

    Args:
        body: as it was sent.
        encoding: how it is written.
        redactor: what takes the secrets out.
        now_ns: when given, items that are more than 24 h later are rejected.

    Raises:
        InputError: the body as a whole cannot be decoded; nothing was given out then.
        TooLargeError: it holds too many items or values.
    """
    return _read(_KINDS["resourceSpans"], body, encoding, redactor, now_ns)


def read_logs(body: bytes, encoding: Encoding, redactor: Redactor, now_ns: int | None = None) -> Iterator[Decoded]:
    """An ExportLogsServiceRequest → evaluations and messages, as `read_traces`; other logs are counted as ignored."""
    return _read(_KINDS["resourceLogs"], body, encoding, redactor, now_ns)


def read_metrics(body: bytes, encoding: Encoding, redactor: Redactor, now_ns: int | None = None) -> Iterator[Decoded]:
    """An ExportMetricsServiceRequest → metric points, as `read_traces`."""
    return _read(_KINDS["resourceMetrics"], body, encoding, redactor, now_ns)


def decode_traces(body: bytes, encoding: Encoding, redactor: Redactor, now_ns: int | None = None) -> Decoded:
    """All of `read_traces` at once; raises as it does."""
    return _whole(read_traces(body, encoding, redactor, now_ns))


def decode_logs(body: bytes, encoding: Encoding, redactor: Redactor, now_ns: int | None = None) -> Decoded:
    """All of `read_logs` at once; raises as it does."""
    return _whole(read_logs(body, encoding, redactor, now_ns))


def decode_metrics(body: bytes, encoding: Encoding, redactor: Redactor, now_ns: int | None = None) -> Decoded:
    """All of `read_metrics` at once; raises as it does."""
    return _whole(read_metrics(body, encoding, redactor, now_ns))


def decode_document(document: dict[str, Any], redactor: Redactor, now_ns: int | None = None) -> Decoded:
    """A parsed OTLP/JSON object with any of `DOCUMENT_KEYS`: one line of a file."""
    rejected: list[Rejected] = []
    records: list[Record] = []
    for key, kind in _KINDS.items():
        if key in document:
            records += kind.records(kind.json(document, rejected), Redaction(redactor), rejected, now_ns)
    return Decoded(tuple(records), tuple(rejected))


def _read(kind: "_Kind", body: bytes, encoding: Encoding, redactor: Redactor, now_ns: int | None) -> Iterator[Decoded]:
    rejected: list[Rejected] = []
    redaction = Redaction(redactor)
    found = kind.protobuf(body, rejected) if encoding is Encoding.PROTOBUF else kind.json(_object(body), rejected)
    yield from _parts(kind.records(found, redaction, rejected, now_ns), rejected, redaction)


def _object(body: bytes) -> dict[str, Any]:
    check_weight(body)
    document = json_body.load(body)
    if not isinstance(document, dict):
        raise InputError(f"body must be a JSON object, not {type(document).__name__}")
    check_count(document)
    return document


def _parts(found: Iterator[Record], rejected: list[Rejected], redaction: Redaction) -> Iterator[Decoded]:
    while True:
        records = tuple(islice(found, PART_RECORDS))
        if not records and not rejected:
            return
        yield Decoded(records, tuple(rejected), *redaction.originals())
        rejected.clear()


def _whole(parts: Iterator[Decoded]) -> Decoded:
    records: list[Record] = []
    rejected: list[Rejected] = []
    originals: list[Original] = []
    unsealed = 0
    for part in parts:
        records += part.records
        rejected += part.rejected
        originals += part.originals
        unsealed += part.unsealed
    return Decoded(tuple(records), tuple(rejected), tuple(originals), unsealed)


def _calls(found: Iterator[RawSpan], redaction: Redaction, rejected: list[Rejected], now_ns: int | None) -> Iterator[Record]:
    for span in found:
        try:
            check_span(span, now_ns)
        except InputError as error:
            rejected.append(Rejected(span.place, error.message))
            continue
        redaction.span(span)
        call, faults = map_span(span)
        rejected += [Rejected(span.place, fault, lost=False) for fault in faults]
        yield call


def _log_records(found: Iterator[RawLog], redaction: Redaction, rejected: list[Rejected], now_ns: int | None) -> Iterator[Record]:
    for log in found:
        try:
            check_log(log, now_ns)
            redaction.log(log)
            record = map_log(log)
        except InputError as error:
            redaction.undo()
            rejected.append(Rejected(log.place, error.message))
            continue
        if record is None:
            redaction.undo()
            rejected.append(Rejected(log.place, "not a GenAI log", ignored=True))
        else:
            yield record


def _metric_points(
    found: Iterator[RawPoint], redaction: Redaction, rejected: list[Rejected], now_ns: int | None
) -> Iterator[Record]:
    for point in found:
        try:
            check_time(point.time_ns, now_ns)
            redaction.point(point)
            record = map_point(point)
        except InputError as error:
            redaction.undo()
            rejected.append(Rejected(point.place, error.message))
            continue
        if record is None:
            redaction.undo()
        else:
            yield record


class _Kind(NamedTuple):
    """How one kind of request is taken apart in either encoding, and what becomes of its items."""

    protobuf: Callable[[bytes, list[Rejected]], Iterator[Any]]
    json: Callable[[dict[str, Any], list[Rejected]], Iterator[Any]]
    records: Callable[[Iterator[Any], Redaction, list[Rejected], int | None], Iterator[Record]]


_KINDS = {
    "resourceSpans": _Kind(protobuf.spans, json_body.spans, _calls),
    "resourceLogs": _Kind(protobuf.logs, json_body.logs, _log_records),
    "resourceMetrics": _Kind(protobuf.points, json_body.points, _metric_points),
}
DOCUMENT_KEYS = tuple(_KINDS)
