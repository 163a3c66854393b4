"""What the tests of the receiver share: one that runs beside the test on free ports, and bodies to send it."""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from holdfast.core.call import Call
from holdfast.core.errors import HoldfastError
from holdfast.ingest.journal import JournalReader
from holdfast.ingest.receiver import Endpoints, Receiver, ReceiverConfig
from holdfast.ingest.record import Record
from tests.ingest.journals import PROMPT

TIMEOUT_S = 20
PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
START_NS = 1_790_000_000_000_000_000


def config(directory: Path, **changes: Any) -> ReceiverConfig:
    """A receiver on a free port of loopback, without gRPC, with its journal under `directory`."""
    plain = ReceiverConfig(
        directory=directory / "journal",
        http_port=0,
        grpc_port=None,
        journal=PROMPT,
        redaction_key=b"0123456789abcdef",
        stop_timeout_s=5,
    )
    return msgspec.structs.replace(plain, **changes)


class Running:
    """A receiver on a thread of this process."""

    def __init__(self, receiver: Receiver, endpoints: Endpoints) -> None:
        self.receiver = receiver
        self.endpoints = endpoints
        self.http = httpx.Client(base_url=endpoints.http_url, timeout=TIMEOUT_S)

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return self.http.post(path, content=body, headers=headers)

    def send(self, *numbers: int, **headers: str) -> httpx.Response:
        return self.post("/v1/traces", trace_body(numbers), PROTOBUF | headers)


@contextlib.contextmanager
def running(configured: ReceiverConfig) -> Iterator[Running]:
    """A receiver for the length of a `with` block; stopped in good order at its end."""
    ready = threading.Event()
    begun: list[tuple[Receiver, Endpoints, asyncio.AbstractEventLoop, asyncio.Event]] = []
    failed: list[HoldfastError] = []

    async def serve() -> None:
        stop = asyncio.Event()
        receiver = Receiver(configured)
        endpoints = await receiver.start()
        begun.append((receiver, endpoints, asyncio.get_running_loop(), stop))
        ready.set()
        await stop.wait()
        await receiver.stop()

    def run() -> None:
        try:
            asyncio.run(serve())
        except HoldfastError as error:
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(TIMEOUT_S)
    if failed:
        raise failed[0]
    receiver, endpoints, loop, stop = begun[0]
    served = Running(receiver, endpoints)
    try:
        yield served
    finally:
        served.http.close()
        loop.call_soon_threadsafe(stop.set)
        thread.join(TIMEOUT_S)
        assert not thread.is_alive()
    assert not failed


def trace_request(numbers: Sequence[int], service: str = "support", text: str = "hello") -> ExportTraceServiceRequest:
    """One span for each number, which is its span id; number 0 has no id and is refused."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    if service:
        name = group.resource.attributes.add(key="service.name")
        name.value.string_value = service
    spans = group.scope_spans.add().spans
    for number in numbers:
        span = spans.add(name="chat", start_time_unix_nano=START_NS + number, end_time_unix_nano=START_NS + number + 1000)
        span.trace_id = (number + 1).to_bytes(16, "big")
        span.span_id = number.to_bytes(8, "big")
        span.attributes.add(key="input.value").value.string_value = text
    return request


def trace_body(numbers: Sequence[int], service: str = "support", text: str = "hello") -> bytes:
    return trace_request(numbers, service, text).SerializeToString()


def records(configured: ReceiverConfig) -> list[Record]:
    """Everything in the journal of a receiver."""
    found: list[Record] = []
    with JournalReader(configured.directory) as reader:
        while batch := reader.read(timeout=0):
            found += [record for _, record in batch]
    return found


def span_numbers(configured: ReceiverConfig) -> list[int]:
    """Numbers of the spans in the journal of a receiver, in order of arrival."""
    return [int(record.span_id, 16) for record in records(configured) if isinstance(record, Call)]


def twice(numbers: Sequence[int]) -> list[int]:
    """Those that are there more than once."""
    return [number for number, count in Counter(numbers).items() if count > 1]
