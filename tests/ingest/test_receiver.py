import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import grpc
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter

from holdfast.context.entities import Entity, RedactionPolicy, Treatment
from holdfast.context.originals import Original
from holdfast.core.call import Call
from holdfast.core.errors import ConfigurationError, StoreError
from holdfast.ingest.auth import IngestToken, token_hash
from holdfast.ingest.journal import Journal
from holdfast.ingest.receiver import Endpoints, ReceiverConfig
from tests.ingest.journals import PROMPT
from tests.ingest.receivers import PROTOBUF, Running, config, records, running, span_numbers, trace_body


def exporters(served: Running) -> list[SpanExporter]:
    traces = f"{served.endpoints.http_url}/v1/traces"
    target = served.endpoints.grpc_target
    return [
        HttpExporter(traces),
        HttpExporter(traces, compression=Compression.Gzip),
        GrpcExporter(target, insecure=True),
        GrpcExporter(target, insecure=True, compression=grpc.Compression.Gzip),
    ]


def test_the_official_exporters_deliver_over_every_transport(tmp_path: Path) -> None:
    with running(config(tmp_path, grpc_port=0)) as served:
        provider = TracerProvider(resource=Resource.create({"service.name": "support"}))
        for exporter in exporters(served):
            provider.add_span_processor(SimpleSpanProcessor(exporter))
        with provider.get_tracer("test").start_as_current_span("chat gpt-4o") as span:
            span.set_attribute("gen_ai.operation.name", "chat")
            span.set_attribute("gen_ai.request.model", "gpt-4o")
        provider.shutdown()
    calls = [record for record in records(config(tmp_path)) if isinstance(record, Call)]
    assert len(calls) == 4
    assert len({call.key for call in calls}) == 1
    assert {(call.service, call.request_model, call.kind) for call in calls} == {("support", "gpt-4o", "llm")}


def test_a_stopped_receiver_leaves_ports_and_journal_to_the_next(tmp_path: Path) -> None:
    with running(config(tmp_path, grpc_port=0)) as first:
        endpoints = first.endpoints
        first.send(1)
    with running(config(tmp_path, http_port=endpoints.http_port, grpc_port=endpoints.grpc_port)) as second:
        second.send(2)
    assert span_numbers(config(tmp_path)) == [1, 2]


@pytest.mark.parametrize("port", ["http_port", "grpc_port"])
def test_a_taken_port_is_named_and_nothing_else_is_kept_from_others(tmp_path: Path, port: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = other.getsockname()[1]
        with (
            pytest.raises(ConfigurationError, match=rf"127\.0\.0\.1:{number}.*in use"),
            running(config(tmp_path, **{port: number})),
        ):
            pass
    with running(config(tmp_path)) as served:
        assert served.send(1).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_listening_where_others_can_reach_it_needs_a_token(tmp_path: Path, host: str) -> None:
    with pytest.raises(ConfigurationError, match="token"), running(config(tmp_path, host=host)):
        pass


def test_a_host_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no-such-host"), running(config(tmp_path, host="no-such-host.invalid")):
        pass


def test_a_key_that_is_too_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="key"), running(config(tmp_path, redaction_key=b"short")):
        pass


def test_a_journal_that_another_process_has_is_an_error(tmp_path: Path) -> None:
    with (
        Journal(config(tmp_path).directory, PROMPT),
        pytest.raises(StoreError, match="writes to it already"),
        running(config(tmp_path)),
    ):
        pass


def test_the_defaults_are_otlps_ports_on_loopback(tmp_path: Path) -> None:
    defaults = ReceiverConfig(directory=tmp_path, redaction_key=b"x" * 16)
    assert (defaults.host, defaults.http_port, defaults.grpc_port) == ("127.0.0.1", 4318, 4317)


def test_endpoints_are_written_as_urls_are() -> None:
    assert Endpoints("::1", 4318, 4317).http_url == "http://[::1]:4318"
    assert Endpoints("127.0.0.1", 4318, 4317).grpc_target == "127.0.0.1:4317"
    assert Endpoints("127.0.0.1", 4318, None).grpc_target == ""


class Shelf:
    """Takes originals, and can be out of order."""

    def __init__(self, broken: bool = False) -> None:
        self.taken: list[Original] = []
        self.broken, self.closed = broken, False

    def __call__(self, told: Callable[[str, int], None]) -> "Shelf":
        self._told = told
        return self

    def offer(self, originals: Sequence[Original]) -> None:
        if self.broken:
            self._told("failed", len(originals))
        else:
            self.taken += originals

    def close(self) -> None:
        self.closed = True


SEALING = RedactionPolicy(services={name: {Entity.EMAIL_ADDRESS: Treatment.SEAL} for name in ("shop", "bank")})
MAIL = "write to joe@example.com"


def test_what_is_sealed_is_handed_over_and_the_call_holds_the_pseudonym(tmp_path: Path) -> None:
    shelf = Shelf()
    with running(config(tmp_path, redaction=SEALING, vault=shelf)) as served:
        assert served.post("/v1/traces", trace_body([1, 2], "shop", MAIL), PROTOBUF).status_code == 200
        assert served.post("/v1/traces", trace_body([3], "other", MAIL), PROTOBUF).status_code == 200
    assert [(o.application, o.value) for o in shelf.taken] == [("shop", "joe@example.com")]
    assert shelf.closed
    (stored, *_), told = [r for r in records(config(tmp_path)) if isinstance(r, Call)], shelf.taken[0].pseudonym
    assert f"write to <{told}>" in repr(stored)


def test_nobody_has_anything_sealed_in_the_name_of_another_application(tmp_path: Path) -> None:
    shelf = Shelf()
    token = IngestToken(application="shop", sha256=token_hash("s3cret"))
    with running(config(tmp_path, redaction=SEALING, vault=shelf, tokens=(token,))) as served:
        mine = PROTOBUF | {"authorization": "Bearer s3cret"}
        assert served.post("/v1/traces", trace_body([1], "bank", MAIL), mine).status_code == 200
        assert served.post("/v1/traces", trace_body([2], "bank", MAIL), PROTOBUF).status_code == 401
    assert shelf.taken == []


def test_a_vault_that_is_out_of_order_fails_nobody_and_is_counted(tmp_path: Path) -> None:
    with running(config(tmp_path, redaction=SEALING, vault=Shelf(broken=True))) as served:
        assert served.post("/v1/traces", trace_body([1], "shop", MAIL), PROTOBUF).status_code == 200
        assert 'holdfast_ingest_originals_total{fate="failed"} 1.0' in served.http.get("/metrics").text
    assert span_numbers(config(tmp_path)) == [1]
