import asyncio
import gzip
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest
from google.rpc.error_details_pb2 import BadRequest, RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from holdfast.core.call import MetricPoint
from holdfast.ingest.auth import IngestToken, token_hash
from holdfast.ingest.grpc import SERVICES, STATUS_DETAILS, new_server
from holdfast.ingest.intake import Feed, IntakeLimits
from holdfast.ingest.journal import JournalReader
from tests.ingest.journals import PROMPT, wait_until
from tests.ingest.receivers import START_NS, Running, config, records, running, span_numbers, trace_request

TIMEOUT_S = 20


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Running]:
    with running(config(tmp_path, grpc_port=0)) as receiver:
        yield receiver


def channel(served: Running) -> grpc.Channel:
    return grpc.insecure_channel(served.endpoints.grpc_target, options=[("grpc.max_send_message_length", -1)])


def send(served: Running, *numbers: int, service: str = "support", **options: Any) -> Any:
    with channel(served) as open_channel:
        export = TraceServiceStub(open_channel).Export  # type: ignore[no-untyped-call]
        return export(trace_request(numbers, service), timeout=TIMEOUT_S, **options)


def raw(served: Running, body: bytes, service: str = SERVICES[Feed.TRACES], method: str = "Export") -> bytes:
    """Bytes as they are, as no stub would send them."""
    with channel(served) as open_channel:
        call: Callable[..., bytes] = open_channel.unary_unary(f"/{service}/{method}")
        return call(body, timeout=TIMEOUT_S)


def refused(error: grpc.RpcError) -> tuple[grpc.StatusCode, Status]:
    assert isinstance(error, grpc.Call)
    trailing: Sequence[tuple[str, Any]] = error.trailing_metadata() or ()
    return error.code(), Status.FromString(dict(trailing).get(STATUS_DETAILS, b""))


def test_spans_are_in_the_journal_when_they_are_acknowledged(served: Running, tmp_path: Path) -> None:
    assert send(served, 1, 2).ByteSize() == 0
    assert span_numbers(config(tmp_path)) == [1, 2]


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.NoCompression])
def test_gzip_is_taken(served: Running, tmp_path: Path, compression: grpc.Compression) -> None:
    send(served, *range(1, 100), compression=compression)
    assert span_numbers(config(tmp_path)) == list(range(1, 100))


def test_logs_and_metrics_have_their_services(served: Running, tmp_path: Path) -> None:
    metrics = ExportMetricsServiceRequest()
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="gpu.utilisation")
    metric.gauge.data_points.add(time_unix_nano=START_NS, as_double=0.5)
    with channel(served) as open_channel:
        MetricsServiceStub(open_channel).Export(metrics, timeout=TIMEOUT_S)  # type: ignore[no-untyped-call]
        LogsServiceStub(open_channel).Export(ExportLogsServiceRequest(), timeout=TIMEOUT_S)  # type: ignore[no-untyped-call]
    (record,) = records(config(tmp_path))
    assert isinstance(record, MetricPoint)


def test_a_span_without_an_id_is_rejected_by_name_and_the_others_are_kept(served: Running, tmp_path: Path) -> None:
    partial = send(served, 1, 0, 2).partial_success
    assert partial.rejected_spans == 1
    assert "spans[1]" in partial.error_message
    assert span_numbers(config(tmp_path)) == [1, 2]


def test_an_empty_request_is_a_success(served: Running) -> None:
    assert raw(served, b"") == b""


@pytest.mark.parametrize("body", [b"garbage", b"\xff" * 1000, b"\x1f\x8b\x08cut", gzip.compress(b"garbage", mtime=0)])
def test_undecodable_data_is_an_invalid_argument_with_its_place(served: Running, tmp_path: Path, body: bytes) -> None:
    with pytest.raises(grpc.RpcError) as error:
        raw(served, body)
    code, status = refused(error.value)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert status.details[0].Is(BadRequest.DESCRIPTOR)
    assert records(config(tmp_path)) == []


@pytest.mark.parametrize("body", [bytes(200_000), gzip.compress(bytes(200_000), mtime=0)])
def test_a_body_over_the_limit_is_refused_for_good(tmp_path: Path, body: bytes) -> None:
    with running(config(tmp_path, grpc_port=0, intake=IntakeLimits(max_body_bytes=100_000))) as served:
        with pytest.raises(grpc.RpcError) as error:
            raw(served, body)
        code, status = refused(error.value)
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert not any(detail.Is(RetryInfo.DESCRIPTOR) for detail in status.details)
        send(served, 1)


def test_a_pipeline_that_is_too_far_behind_is_unavailable_with_a_time_to_try_again(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(PROMPT, max_lag_bytes=500)
    configured = config(tmp_path, grpc_port=0, journal=limits)
    with running(configured) as served, JournalReader(configured.directory) as reader:
        send(served, 1, 2, 3)
        with pytest.raises(grpc.RpcError) as error:
            send(served, 4)
        code, status = refused(error.value)
        retry = RetryInfo()
        assert code is grpc.StatusCode.UNAVAILABLE
        assert status.details[0].Unpack(retry)
        assert retry.retry_delay.seconds > 0
        reader.read(timeout=5)
        reader.commit(reader.position)
        wait_until(lambda: served.receiver.journal.lag_bytes == 0)
        send(served, 5)


def test_a_full_disk_is_unavailable(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(PROMPT, min_free_bytes=2**62)
    with running(config(tmp_path, grpc_port=0, journal=limits)) as served, pytest.raises(grpc.RpcError) as error:
        send(served, 1)
    assert refused(error.value)[0] is grpc.StatusCode.UNAVAILABLE


def test_the_token_comes_in_the_metadata(tmp_path: Path) -> None:
    tokens = (IngestToken(application="support", sha256=token_hash("right")),)
    with running(config(tmp_path, grpc_port=0, tokens=tokens)) as served:
        for metadata in ((), (("authorization", "Bearer wrong"),), (("x-holdfast-token", "wrong"),)):
            with pytest.raises(grpc.RpcError) as error:
                send(served, 1, metadata=metadata)
            assert refused(error.value)[0] is grpc.StatusCode.UNAUTHENTICATED
        send(served, 2, metadata=(("authorization", "Bearer right"),))
        foreign = send(served, 3, service="billing", metadata=(("x-holdfast-token", "right"),))
        assert foreign.partial_success.rejected_spans == 1
    assert span_numbers(config(tmp_path)) == [2]


def test_other_services_and_methods_are_unimplemented(served: Running) -> None:
    for service, method in (
        ("opentelemetry.proto.collector.profiles.v1.ProfilesService", "Export"),
        (SERVICES[Feed.TRACES], "Import"),
    ):
        with pytest.raises(grpc.RpcError) as error:
            raw(served, b"", service, method)
        assert refused(error.value)[0] is grpc.StatusCode.UNIMPLEMENTED


def test_a_call_that_is_over_gives_its_memory_back(served: Running) -> None:
    with pytest.raises(grpc.RpcError):
        raw(served, b"garbage")
    send(served, 1)
    assert (served.receiver.intake.budget.bytes, served.receiver.intake.budget.requests) == (0, 0)


def test_calls_are_counted_by_how_they_ended(served: Running) -> None:
    send(served, 1)
    with pytest.raises(grpc.RpcError):
        raw(served, b"garbage")
    text = served.http.get("/metrics").text
    assert 'holdfast_ingest_requests_total{code="OK",feed="traces",transport="grpc"} 1.0' in text
    assert 'holdfast_ingest_requests_total{code="INVALID_ARGUMENT",feed="traces",transport="grpc"} 1.0' in text


def test_connections_over_the_limit_are_not_served_and_do_not_harm_the_others() -> None:
    async def scenario() -> tuple[bytes, grpc.StatusCode]:
        server = new_server(1000, max_connections=1)

        async def echo(body: bytes, _: Any) -> bytes:
            return body

        method: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(echo)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("s", {"m": method}),))
        target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        async with grpc.aio.insecure_channel(target) as first, grpc.aio.insecure_channel(target, NO_POOL) as second:
            one: Any = first.unary_unary("/s/m")
            two: Any = second.unary_unary("/s/m")
            await one(b"x", timeout=TIMEOUT_S)
            with pytest.raises(grpc.RpcError) as error:
                await two(b"x", timeout=TIMEOUT_S)
            answer = await one(b"again", timeout=TIMEOUT_S)
        await server.stop(None)
        assert isinstance(error.value, grpc.aio.AioRpcError)
        return answer, error.value.code()

    assert asyncio.run(scenario()) == (b"again", grpc.StatusCode.UNAVAILABLE)


NO_POOL = [("grpc.use_local_subchannel_pool", 1)]


def test_a_call_without_a_token_is_refused_before_its_message_is_read(tmp_path: Path) -> None:
    tokens = (IngestToken(application="support", sha256=token_hash("right")),)
    with running(config(tmp_path, grpc_port=0, tokens=tokens)) as served, channel(served) as open_channel:
        call: Any = open_channel.stream_unary(f"/{SERVICES[Feed.TRACES]}/Export")
        never = threading.Event()
        with pytest.raises(grpc.RpcError) as error:
            call((body for body in iter(lambda: never.wait(TIMEOUT_S) and b"", None)), timeout=TIMEOUT_S)
        never.set()
    assert refused(error.value)[0] is grpc.StatusCode.UNAUTHENTICATED


def test_a_message_that_never_comes_is_given_up(tmp_path: Path) -> None:
    limits = IntakeLimits(read_timeout_s=0.05)
    with running(config(tmp_path, grpc_port=0, intake=limits)) as served, channel(served) as open_channel:
        call: Any = open_channel.stream_unary(f"/{SERVICES[Feed.TRACES]}/Export")
        never = threading.Event()
        with pytest.raises(grpc.RpcError) as error:
            call((body for body in iter(lambda: never.wait(TIMEOUT_S) and b"", None)), timeout=TIMEOUT_S)
        never.set()
        assert refused(error.value)[0] is grpc.StatusCode.UNAVAILABLE
        send(served, 1)


@pytest.mark.parametrize("messages", [[], [b"", b""]])
def test_a_call_holds_one_message(served: Running, messages: list[bytes]) -> None:
    with channel(served) as open_channel:
        call: Any = open_channel.stream_unary(f"/{SERVICES[Feed.TRACES]}/Export")
        with pytest.raises(grpc.RpcError) as error:
            call(iter(messages), timeout=TIMEOUT_S)
    assert refused(error.value)[0] is grpc.StatusCode.INVALID_ARGUMENT


def test_as_many_messages_are_read_at_a_time_as_have_room_and_the_others_wait(tmp_path: Path) -> None:
    limits = IntakeLimits(max_body_bytes=100_000, max_buffered_bytes=150_000)
    configured = config(tmp_path, grpc_port=0, intake=limits)
    with running(configured) as served, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: send(served, number), range(1, 33)))
    assert sorted(span_numbers(configured)) == list(range(1, 33))
