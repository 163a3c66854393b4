"""The gRPC side of the receiver: OTLP's three export services."""

from collections.abc import Awaitable, Callable

import grpc
import structlog
from grpc import aio

from holdfast.core.errors import HoldfastError
from holdfast.ingest.auth import TokenTable
from holdfast.ingest.intake import Body, Feed, Intake
from holdfast.ingest.otlp import Encoding
from holdfast.ingest.replies import Refusal, export_response, internal_refusal, refusal, status_message

log = structlog.get_logger(__name__)

SERVICES = {
    Feed.TRACES: "opentelemetry.proto.collector.trace.v1.TraceService",
    Feed.LOGS: "opentelemetry.proto.collector.logs.v1.LogsService",
    Feed.METRICS: "opentelemetry.proto.collector.metrics.v1.MetricsService",
}
STATUS_DETAILS = "grpc-status-details-bin"
GZIP_MAGIC = b"\x1f\x8b"
CONCURRENT_STREAMS = 32
"""Calls at a time of one connection; further ones wait on the sender's side."""

Context = aio.ServicerContext[bytes, bytes]


def new_server(max_body_bytes: int) -> aio.Server:
    """A server that hands bodies over as they arrive: compressed ones are expanded by us, within the limit, not by gRPC."""
    return aio.server(
        options=[
            ("grpc.max_receive_message_length", max_body_bytes),
            ("grpc.per_message_decompression", 0),
            ("grpc.max_concurrent_streams", CONCURRENT_STREAMS),
            ("grpc.so_reuseport", 0),
        ]
    )


class GrpcServices:
    """The export methods. One instance serves one event loop."""

    def __init__(self, intake: Intake, tokens: TokenTable) -> None:
        self._intake = intake
        self._tokens = tokens

    def add_to(self, server: aio.Server) -> None:
        """Register the services."""
        for feed, service in SERVICES.items():
            method: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(self._method(feed))
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": method}),))

    def _method(self, feed: Feed) -> Callable[[bytes, Context], Awaitable[bytes]]:
        async def export(body: bytes, context: Context) -> bytes:
            try:
                answer = await self._export(feed, body, context)
            except HoldfastError as error:
                refused = refusal(error)
            except Exception:  # the edge: one bad call must not end the others; it is answered, counted and logged
                log.exception("call failed", service=SERVICES[feed])
                refused = internal_refusal()
            else:
                self._intake.meters.requests.labels("grpc", feed, "OK").inc()
                return answer
            self._intake.meters.requests.labels("grpc", feed, refused.code.name).inc()
            await _abort(refused, context)
            return b""

        return export

    async def _export(self, feed: Feed, body: bytes, context: Context) -> bytes:
        metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        token = self._tokens.identify(metadata)
        self._intake.admit()
        with self._intake.budget.open() as hold:
            hold.take(len(body))
            # No OTLP message begins with these two bytes: they would be a field of a wire type that does not exist.
            compressed = body.startswith(GZIP_MAGIC)
            outcome = await self._intake.take_encoded(feed, Encoding.PROTOBUF, Body(body, compressed), token)
        return export_response(feed, outcome.decoded).SerializeToString()


async def _abort(refused: Refusal, context: Context) -> None:
    details = status_message(refused).SerializeToString()
    await context.abort(refused.code, refused.message, ((STATUS_DETAILS, details),))
