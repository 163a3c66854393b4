"""Answers to senders: OTLP's export responses, and `google.rpc.Status` for everything that is no success.

Source: OpenTelemetry Protocol specification, sections "OTLP/HTTP Response" and "OTLP/gRPC Response".
"""

import math
from collections.abc import Sequence
from http import HTTPStatus

import grpc
import msgspec
from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from holdfast.core.errors import BackpressureError, HoldfastError, InputError, StoreError, TooLargeError
from holdfast.ingest.auth import UnauthenticatedError
from holdfast.ingest.intake import Feed
from holdfast.ingest.otlp import Encoding
from holdfast.ingest.record import Rejected

SHOWN_REJECTIONS = 5
MAX_SHOWN_CHARS = 300
STORE_RETRY_S = 5.0

ExportResponse = ExportTraceServiceResponse | ExportLogsServiceResponse | ExportMetricsServiceResponse


class Reply(msgspec.Struct, frozen=True):
    """An HTTP response."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request failed, for both transports. `retry_after_s` is set where trying again may help."""

    http: int
    code: grpc.StatusCode
    message: str
    retry_after_s: float | None = None
    where: str = ""
    headers: tuple[tuple[str, str], ...] = ()


def refusal(error: HoldfastError) -> Refusal:
    """What to tell a sender of `error`."""
    message = str(error)[:MAX_SHOWN_CHARS]
    match error:
        case TooLargeError():
            return Refusal(http=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, code=grpc.StatusCode.RESOURCE_EXHAUSTED, message=message)
        case InputError():
            return Refusal(
                http=HTTPStatus.BAD_REQUEST,
                code=grpc.StatusCode.INVALID_ARGUMENT,
                message=message,
                where=error.where[:MAX_SHOWN_CHARS],
            )
        case UnauthenticatedError():
            return Refusal(
                http=HTTPStatus.UNAUTHORIZED,
                code=grpc.StatusCode.UNAUTHENTICATED,
                message=message,
                headers=(("www-authenticate", 'Bearer realm="holdfast"'),),
            )
        case BackpressureError():
            return Refusal(
                http=HTTPStatus.TOO_MANY_REQUESTS,
                code=grpc.StatusCode.UNAVAILABLE,
                message=message,
                retry_after_s=error.retry_after_s,
            )
        case StoreError():
            return Refusal(
                http=HTTPStatus.SERVICE_UNAVAILABLE,
                code=grpc.StatusCode.UNAVAILABLE,
                message=message,
                retry_after_s=STORE_RETRY_S,
            )
    return internal_refusal()


def internal_refusal() -> Refusal:
    """A fault of ours. Not to be sent again: it would fail again."""
    return Refusal(
        http=HTTPStatus.INTERNAL_SERVER_ERROR,
        code=grpc.StatusCode.INTERNAL,
        message="the receiver failed on this request; its log says why",
    )


def status_message(refused: Refusal) -> Status:
    """`refused` as a `google.rpc.Status` with the details that its kind has."""
    status = Status(code=_number(refused.code), message=refused.message)
    if refused.retry_after_s is not None:
        whole = math.floor(refused.retry_after_s)
        delay = Duration(seconds=whole, nanos=round((refused.retry_after_s - whole) * 1e9))
        status.details.add().Pack(RetryInfo(retry_delay=delay))
    if refused.code is grpc.StatusCode.INVALID_ARGUMENT:
        violation = BadRequest.FieldViolation(field=refused.where or "body", description=refused.message)
        status.details.add().Pack(BadRequest(field_violations=[violation]))
    return status


def _number(code: grpc.StatusCode) -> int:
    number: int = code.value[0]
    return number


def refusal_reply(refused: Refusal, encoding: Encoding) -> Reply:
    """`refused` as an HTTP response, written as the request was."""
    headers = refused.headers
    if refused.retry_after_s is not None:
        headers = (*headers, ("retry-after", str(max(1, math.ceil(refused.retry_after_s)))))
    return Reply(refused.http, _encode(status_message(refused), encoding), encoding.value, headers)


def export_reply(feed: Feed, encoding: Encoding, rejected: Sequence[Rejected]) -> Reply:
    """200, with a partial success where something was rejected."""
    if not rejected:
        return Reply(HTTPStatus.OK, b"{}" if encoding is Encoding.JSON else b"", encoding.value)
    return Reply(HTTPStatus.OK, _encode(export_response(feed, rejected), encoding), encoding.value)


def export_response(feed: Feed, rejected: Sequence[Rejected]) -> ExportResponse:
    """OTLP's response of `feed`. What was rejected is counted, and the first few are named."""
    told = [r for r in rejected if not r.ignored]
    count, message = sum(r.lost for r in told), _summary(told)
    if feed is Feed.LOGS:
        logs = ExportLogsServiceResponse()
        if told:
            logs.partial_success.rejected_log_records, logs.partial_success.error_message = count, message
        return logs
    if feed is Feed.METRICS:
        metrics = ExportMetricsServiceResponse()
        if told:
            metrics.partial_success.rejected_data_points, metrics.partial_success.error_message = count, message
        return metrics
    traces = ExportTraceServiceResponse()
    if told:
        traces.partial_success.rejected_spans, traces.partial_success.error_message = count, message
    return traces


def _summary(rejected: Sequence[Rejected]) -> str:
    shown = [f"{r.where}: {r.reason}"[:MAX_SHOWN_CHARS] for r in rejected[:SHOWN_REJECTIONS]]
    rest = len(rejected) - len(shown)
    return "; ".join(shown) + (f"; and {rest} more" if rest else "")


def _encode(message: Message, encoding: Encoding) -> bytes:
    if encoding is Encoding.JSON:
        return json_format.MessageToJson(message, indent=None).encode()
    return message.SerializeToString()
