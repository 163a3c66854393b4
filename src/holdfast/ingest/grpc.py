"""The gRPC side of the receiver: OTLP's three export services."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
import structlog
from grpc import aio

from holdfast.core.errors import BackpressureError, HoldfastError, InputError, StoreError
from holdfast.ingest.auth import TokenTable
from holdfast.ingest.intake import Body, BodyHold, Feed, Intake, IntakeLimits
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
MAX_CONNECTIONS = 128
MAX_MESSAGE_BYTES = 16 * 2**20
"""Of one message as it arrives: four times what senders' and collectors' own servers take. Larger bodies go by HTTP."""
MAX_METADATA_BYTES = 16 * 2**10
SLOT_TIMEOUT_S = 5.0

Context = aio.ServicerContext[bytes, bytes]


def new_server(max_message_bytes: int, max_connections: int = MAX_CONNECTIONS) -> aio.Server:
    """A server that hands bodies over as they arrive: compressed ones are expanded by us, within the limit, not by gRPC.

    Of a call that has not been let in, no more than a window of 64 KiB is in memory.
    """
    return aio.server(
        options=[
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.per_message_decompression", 0),
            ("grpc.max_concurrent_streams", CONCURRENT_STREAMS),
            ("grpc.max_allowed_incoming_connections", max_connections),
            ("grpc.max_metadata_size", MAX_METADATA_BYTES),
            ("grpc.http2.bdp_probe", 0),
            ("grpc.so_reuseport", 0),
        ]
    )


def max_message_bytes(limits: IntakeLimits) -> int:
    """The largest message that is taken."""
    return min(limits.max_body_bytes, MAX_MESSAGE_BYTES)


class GrpcServices:
    """The export methods. One instance serves one event loop."""

    def __init__(self, intake: Intake, tokens: TokenTable) -> None:
        self._intake = intake
        self._tokens = tokens
        # gRPC tells the size of a message only when it is all in memory: as many are read at a time as have room for the largest.
        self._slots = asyncio.Semaphore(max(1, intake.limits.max_buffered_bytes // max_message_bytes(intake.limits)))

    def add_to(self, server: aio.Server) -> None:
        """Register the services."""
        for feed, service in SERVICES.items():
            method: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_unary_rpc_method_handler(self._method(feed))
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": method}),))

    def _method(self, feed: Feed) -> Callable[[AsyncIterator[bytes], Context], Awaitable[bytes]]:
        # On the wire a call with one message is a stream of one. As a stream, it can be refused before the message is read.
        async def export(messages: AsyncIterator[bytes], context: Context) -> bytes:
            try:
                answer = await self._export(feed, messages, context)
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

    async def _export(self, feed: Feed, messages: AsyncIterator[bytes], context: Context) -> bytes:
        metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        token = self._tokens.identify(metadata)
        self._intake.admit()
        with self._intake.budget.open() as hold:
            body = await self._read(messages, hold)
            # No OTLP message begins with these two bytes: they would be a field of a wire type that does not exist.
            compressed = body.startswith(GZIP_MAGIC)
            outcome = await self._intake.take_encoded(feed, Encoding.PROTOBUF, Body(body, compressed), token)
        return export_response(feed, outcome.rejected).SerializeToString()

    async def _read(self, messages: AsyncIterator[bytes], hold: BodyHold) -> bytes:
        try:
            async with asyncio.timeout(SLOT_TIMEOUT_S):
                await self._slots.acquire()
        except TimeoutError as error:
            raise BackpressureError("too many messages are being read", retry_after_s=1) from error
        timeout_s = self._intake.limits.read_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                body = await _only(messages)
            hold.take(len(body))
        except TimeoutError as error:
            raise StoreError(f"the message did not arrive within {timeout_s:g} s") from error
        finally:
            self._slots.release()
        return body


async def _only(messages: AsyncIterator[bytes]) -> bytes:
    found: bytes | None = None
    async for message in messages:
        if found is not None:
            raise InputError("a call must hold one message")
        found = message
    if found is None:
        raise InputError("a call must hold one message")
    return found


async def _abort(refused: Refusal, context: Context) -> None:
    details = status_message(refused).SerializeToString()
    await context.abort(refused.code, refused.message, ((STATUS_DETAILS, details),))
