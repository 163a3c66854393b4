"""OTLP bodies → records: decode, redact once, map. A faulty item is rejected alone, with its place and the reason."""

from collections.abc import Iterator
from enum import StrEnum
from itertools import islice
from typing import Any

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
        now_ns: when given, items that are more than 24 h later are rejected.

    Raises:
        InputError: the body as a whole cannot be decoded; nothing was given out then.
        TooLargeError: it holds too many items or values.
    """
    rejected: list[Rejected] = []
    found = protobuf.spans(body, rejected) if encoding is Encoding.PROTOBUF else json_body.spans(_object(body), rejected)
    yield from _parts(_calls(found, redactor, rejected, now_ns), rejected)


def decode_traces(body: bytes, encoding: Encoding, redactor: Redactor, now_ns: int | None = None) -> Decoded:
    """All of `read_traces` at once; raises as it does."""
    return _whole(read_traces(body, encoding, redactor, now_ns))


def read_logs(body: bytes, encoding: Encoding, redactor: Redactor, now_ns: int | None = None) -> Iterator[Decoded]:
    """An ExportLogsServiceRequest → evaluations and messages, a few at a time; other logs are counted as ignored.

    Args:
        now_ns: when given, items that are more than 24 h later are rejected.

    Raises:
        InputError: the body as a whole cannot be decoded; nothing was given out then.
        TooLargeError: it holds too many items or values.
    """
    rejected: list[Rejected] = []
    found = protobuf.logs(body, rejected) if encoding is Encoding.PROTOBUF else json_body.logs(_object(body), rejected)
    yield from _parts(_log_records(found, redactor, rejected, now_ns), rejected)


def decode_logs(body: bytes, encoding: Encoding, redactor: Redactor, now_ns: int | None = None) -> Decoded:
    """All of `read_logs` at once; raises as it does."""
    return _whole(read_logs(body, encoding, redactor, now_ns))


def read_metrics(body: bytes, encoding: Encoding, redactor: Redactor, now_ns: int | None = None) -> Iterator[Decoded]:
    """An ExportMetricsServiceRequest → metric points, a few at a time, so that not all of them are in memory together.

    Args:
        now_ns: when given, items that are more than 24 h later are rejected.

    Raises:
        InputError: the body as a whole cannot be decoded; nothing was given out then.
        TooLargeError: it holds too many items or values.
    """
    rejected: list[Rejected] = []
    found = protobuf.points(body, rejected) if encoding is Encoding.PROTOBUF else json_body.points(_object(body), rejected)
    yield from _parts(_metric_points(found, redactor, rejected, now_ns), rejected)


def decode_metrics(body: bytes, encoding: Encoding, redactor: Redactor, now_ns: int | None = None) -> Decoded:
    """All of `read_metrics` at once; raises as it does."""
    return _whole(read_metrics(body, encoding, redactor, now_ns))


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
    return Decoded(tuple(records), tuple(rejected))


def _object(body: bytes) -> dict[str, Any]:
    check_weight(body)
    document = json_body.load(body)
    if not isinstance(document, dict):
        raise InputError(f"body must be a JSON object, not {type(document).__name__}")
    check_count(document)
    return document


def _parts(found: Iterator[Record], rejected: list[Rejected]) -> Iterator[Decoded]:
    while True:
        records = tuple(islice(found, PART_RECORDS))
        if not records and not rejected:
            return
        yield Decoded(records, tuple(rejected))
        rejected.clear()


def _whole(parts: Iterator[Decoded]) -> Decoded:
    records: list[Record] = []
    rejected: list[Rejected] = []
    for part in parts:
        records += part.records
        rejected += part.rejected
    return Decoded(tuple(records), tuple(rejected))


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
