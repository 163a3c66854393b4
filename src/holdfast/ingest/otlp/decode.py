"""OTLP bodies → records: decode, redact once, map. A faulty item is rejected alone, with its place and the reason."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from holdfast.core.errors import InputError
from holdfast.ingest.otlp import json_body, protobuf
from holdfast.ingest.otlp.logs import map_log
from holdfast.ingest.otlp.metrics import map_point
from holdfast.ingest.otlp.raw import RawLog, RawPoint, RawSpan, check_log, check_span, check_time
from holdfast.ingest.otlp.redaction import Redaction, Redactor
from holdfast.ingest.otlp.spans import map_span
from holdfast.ingest.record import Decoded, Record, Rejected


class Encoding(StrEnum):
    """How a body is written, named by its media type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


def decode_traces(body: bytes, encoding: Encoding, redactor: Redactor, now_ns: int | None = None) -> Decoded:
    """An ExportTraceServiceRequest → calls.

    Args:
        now_ns: when given, spans that start more than 24 h later are rejected.

    Raises:
        InputError: the body as a whole cannot be decoded.
    """
    rejected: list[Rejected] = []
    found = protobuf.spans(body, rejected) if encoding is Encoding.PROTOBUF else json_body.spans(_object(body), rejected)
    return _decoded(list(_calls(found, redactor, rejected, now_ns)), rejected)


def decode_logs(body: bytes, encoding: Encoding, redactor: Redactor, now_ns: int | None = None) -> Decoded:
    """An ExportLogsServiceRequest → evaluations and messages; other logs are counted as ignored.

    Raises:
        InputError: the body as a whole cannot be decoded.
    """
    rejected: list[Rejected] = []
    found = protobuf.logs(body, rejected) if encoding is Encoding.PROTOBUF else json_body.logs(_object(body), rejected)
    return _decoded(list(_log_records(found, redactor, rejected, now_ns)), rejected)


def decode_metrics(body: bytes, encoding: Encoding, redactor: Redactor, now_ns: int | None = None) -> Decoded:
    """An ExportMetricsServiceRequest → metric points.

    Raises:
        InputError: the body as a whole cannot be decoded.
    """
    rejected: list[Rejected] = []
    found = protobuf.points(body, rejected) if encoding is Encoding.PROTOBUF else json_body.points(_object(body), rejected)
    return _decoded(list(_metric_points(found, redactor, rejected, now_ns)), rejected)


DOCUMENT_KEYS = ("resourceSpans", "resourceLogs", "resourceMetrics")


def decode_document(document: dict[str, Any], redactor: Redactor, now_ns: int | None = None) -> Decoded:
    """A parsed OTLP/JSON object with any of `DOCUMENT_KEYS`: one line of a file."""
    rejected: list[Rejected] = []
    records: list[Record] = []
    if "resourceSpans" in document:
        records += _calls(json_body.spans(document, rejected), redactor, rejected, now_ns)
    if "resourceLogs" in document:
        records += _log_records(json_body.logs(document, rejected), redactor, rejected, now_ns)
    if "resourceMetrics" in document:
        records += _metric_points(json_body.points(document, rejected), redactor, rejected, now_ns)
    return _decoded(records, rejected)


def _object(body: bytes) -> dict[str, Any]:
    document = json_body.load(body)
    if not isinstance(document, dict):
        raise InputError(f"body must be a JSON object, not {type(document).__name__}")
    return document


def _decoded(records: list[Record], rejected: list[Rejected]) -> Decoded:
    # An item emptied by salvage is refused twice: there with the reason, and here because it is empty.
    first = {r.where + r.reason if not r.lost else r.where: r for r in reversed(rejected)}
    return Decoded(tuple(records), tuple(reversed(first.values())))


def _calls(found: Iterator[RawSpan], redactor: Redactor, rejected: list[Rejected], now_ns: int | None) -> Iterator[Record]:
    redaction = Redaction(redactor)
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


def _log_records(found: Iterator[RawLog], redactor: Redactor, rejected: list[Rejected], now_ns: int | None) -> Iterator[Record]:
    redaction = Redaction(redactor)
    for log in found:
        try:
            check_log(log, now_ns)
            redaction.log(log)
            record = map_log(log)
        except InputError as error:
            rejected.append(Rejected(log.place, error.message))
            continue
        if record is None:
            rejected.append(Rejected(log.place, "not a GenAI log", ignored=True))
        else:
            yield record


def _metric_points(
    found: Iterator[RawPoint], redactor: Redactor, rejected: list[Rejected], now_ns: int | None
) -> Iterator[Record]:
    redaction = Redaction(redactor)
    for point in found:
        try:
            check_time(point.time_ns, now_ns)
            redaction.point(point)
            record = map_point(point)
        except InputError as error:
            rejected.append(Rejected(point.place, error.message))
            continue
        if record is not None:
            yield record
