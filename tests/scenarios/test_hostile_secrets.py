"""On every path: no secret that came in is anywhere in the data directory, nor in what the server says."""

from base64 import b32encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import grpc
import httpx
import orjson
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from holdfast.core.clock import SystemClock, to_iso
from holdfast.telemetry.connection import Connection
from holdfast.testing.server import ServerProcess
from tests.ingest.otlp.bodies import any_value, as_json, as_protobuf, key_values, logs, metrics, span, traces

TIMEOUT_S = 30
TRANSPORTS = ("protobuf", "json", "grpc")
CONTROL = "a harmless word: zanzibar"
"""What is no secret must be found: else the search would find nothing at all."""


class Secrets:
    """Makes an e-mail address, a card and a cloud key for every place, no two alike, and remembers them."""

    def __init__(self) -> None:
        self.made: dict[str, str] = {}

    def at(self, place: str) -> str:
        number = len(self.made)
        mail, card = f"jane.roe{number}@example.org", luhn(f"411111{number:09d}")
        key = "AKIA" + b32encode(sha256(place.encode()).digest())[:16].decode()
        self.made |= {mail: f"{place}: mail", card: f"{place}: card", key: f"{place}: key"}
        return f"write to {mail} or bill {card} with {key}"


def luhn(digits: str) -> str:
    """`digits` with the check digit that makes them a card's number."""
    doubled = [int(d) * 2 if i % 2 == 0 else int(d) for i, d in enumerate(reversed(digits))]
    return digits + str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


def test_a_card_of_these_tests_is_a_card() -> None:
    assert luhn("411111111111111") == "4111111111111111"


def trace_document(secrets: Secrets, transport: str, now_ns: int) -> dict[str, Any]:
    """One span of each kind, with a secret wherever a text can be."""

    def at(place: str) -> str:
        return secrets.at(f"{transport}: {place}")

    trace_id = f"{TRANSPORTS.index(transport) + 1:032x}"
    chat = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": at("model"),
        "gen_ai.input.messages": orjson.dumps([{"role": "user", "parts": [{"type": "text", "content": at("JSON")}]}]).decode(),
        "gen_ai.system_instructions": at("system instructions"),
        "plain": at("attribute value"),
        at("attribute key"): "value",
        "nested": {"deep": [at("nested list"), {at("nested key"): at("nested value")}]},
        "json": orjson.dumps({"a": {"b": [at("JSON in an attribute")]}}).decode(),
        "twice": orjson.dumps({"inner": orjson.dumps({"c": at("JSON in JSON")}).decode()}).decode(),
        "bytes": at("bytes"),
        "control": CONTROL,
    }
    tool = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "lookup",
        "gen_ai.tool.call.arguments": orjson.dumps({"who": at("tool arguments")}).decode(),
        "gen_ai.tool.call.result": at("tool result"),
    }
    search = {
        "openinference.span.kind": "RETRIEVER",
        "retrieval.documents.0.document.content": at("document content"),
        "retrieval.documents.0.document.metadata": orjson.dumps({"source": at("document metadata")}).decode(),
        "retrieval.documents.0.document.id": at("document id"),
        "user.id": at("user id"),
        "session.id": at("session id"),
    }
    exception = {"exception.message": at("exception message"), "exception.stacktrace": f"File x.py\n  {at('stack trace')}"}
    times = {"traceId": trace_id, "startTimeUnixNano": str(now_ns), "endTimeUnixNano": str(now_ns + 1_000_000)}
    events = [{"name": at("event name"), "timeUnixNano": str(now_ns), "attributes": key_values({**exception, "e": at("event")})}]
    link = {
        "traceId": trace_id,
        "spanId": f"{77:016x}",
        "traceState": at("link state"),
        "attributes": key_values({"l": at("link")}),
    }
    status = {"code": 2, "message": at("status message")}
    return traces(
        span(chat, name=at("span name"), spanId=f"{1:016x}", status=status, events=events, links=[link], **times),
        span(tool, name="tool", spanId=f"{2:016x}", parentSpanId=f"{1:016x}", traceState=f"a={at('trace state')}", **times),
        span(search, name="search", spanId=f"{3:016x}", parentSpanId=f"{1:016x}", **times),
        resource={"service.name": f"support-{transport}", "owner": at("resource attribute")},
        scope=at("scope"),
    )


def log_document(secrets: Secrets, transport: str, now_ns: int) -> dict[str, Any]:
    def at(place: str) -> str:
        return secrets.at(f"{transport}: log: {place}")

    known = {"timeUnixNano": str(now_ns), "traceId": f"{TRANSPORTS.index(transport) + 1:032x}", "spanId": f"{1:016x}"}
    verdict = {"gen_ai.evaluation.name": "faithful", "gen_ai.evaluation.score.value": 0.5}
    verdict["gen_ai.evaluation.explanation"] = at("explanation")
    body = any_value({"content": at("content"), "role": "user", "other": [at("body")]})
    return logs(
        {**known, "eventName": "gen_ai.evaluation.result", "body": any_value(at("text body")), "attributes": key_values(verdict)},
        {**known, "eventName": "gen_ai.user.message", "body": body, "attributes": key_values({"a": at("attribute")})},
        {**known, "eventName": at("name"), "body": any_value(at("application"))},
    )


def metric_document(secrets: Secrets, transport: str, now_ns: int) -> dict[str, Any]:
    attributes = {"host": secrets.at(f"{transport}: metric attribute"), secrets.at(f"{transport}: metric key"): "x"}
    point = {"timeUnixNano": str(now_ns), "asDouble": 0.5, "attributes": key_values(attributes)}
    return metrics(
        {"name": secrets.at(f"{transport}: metric name"), "unit": "1", "gauge": {"dataPoints": [point]}},
        {"name": "gpu", "unit": secrets.at(f"{transport}: metric unit"), "gauge": {"dataPoints": [{**point, "attributes": []}]}},
    )


def change_event(secrets: Secrets, now_ns: int) -> dict[str, Any]:
    data = {"kind": "prompt", "scope": {"service.name": "support-json", "route": secrets.at("change: scope")}}
    data |= {name: secrets.at(f"change: {name}") for name in ("target", "from", "to")}
    known = {"specversion": "1.0", "type": "holdfast.change.v1", "time": to_iso(now_ns), "data": data}
    return {**known, **{name: secrets.at(f"change: {name}") for name in ("id", "source", "subject")}}


def send(server: ServerProcess, transport: str, documents: dict[str, dict[str, Any]]) -> None:
    if transport == "grpc":
        with grpc.insecure_channel(server.grpc) as channel:
            services: dict[str, tuple[Any, Any]] = {
                "traces": (TraceServiceStub, ExportTraceServiceRequest),
                "logs": (LogsServiceStub, ExportLogsServiceRequest),
                "metrics": (MetricsServiceStub, ExportMetricsServiceRequest),
            }
            for feed, document in documents.items():
                stub, kind = services[feed]
                stub(channel).Export(kind.FromString(as_protobuf(document)), timeout=TIMEOUT_S)
        return
    written, media = (as_json, "application/json") if transport == "json" else (as_protobuf, "application/x-protobuf")
    for feed, document in documents.items():
        answer = httpx.post(
            f"{server.otlp}/v1/{feed}", content=written(document), headers={"content-type": media}, timeout=TIMEOUT_S
        )
        assert answer.status_code == 200


class Kept(dict[str, bytes]):
    """Everything that a run left behind, by where it is."""


def stored(server: ServerProcess) -> Iterator[tuple[str, bytes]]:
    """Every file as it is, and every table of the telemetry store as it reads, since that is compressed on disk."""
    for path in server.folder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(server.folder)), path.read_bytes()
    connection = Connection(f"chdb://{server.data_dir}/telemetry")
    try:
        for (table,) in connection.rows("SELECT name FROM system.tables WHERE database = currentDatabase()"):
            yield f"table {table}", repr(connection.rows(f"SELECT * FROM {table}")).encode()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Secrets, Kept]:
    """What a real server has after everything was sent to it by all three ways, and processed."""
    server = ServerProcess(tmp_path_factory.mktemp("secrets"))
    secrets, now_ns = Secrets(), SystemClock().now_ns()
    with server:
        for transport in TRANSPORTS:
            documents = {
                "traces": trace_document(secrets, transport, now_ns),
                "logs": log_document(secrets, transport, now_ns),
                "metrics": metric_document(secrets, transport, now_ns),
            }
            send(server, transport, documents)
        answer = httpx.post(f"{server.otlp}/v1/changes", json=change_event(secrets, now_ns), timeout=TIMEOUT_S)
        assert answer.status_code == 202
        server.wait_for("/api/v1/status", lambda answer: answer.json()["calls"] >= 9)
        assert server.stop() == 0
    return secrets, Kept(stored(server))


def test_no_secret_is_anywhere_on_disk(kept: tuple[Secrets, Kept]) -> None:
    secrets, places = kept
    assert len(secrets.made) > 300
    found = [
        f"{name} in {place}" for value, name in secrets.made.items() for place, data in places.items() if value.encode() in data
    ]
    assert not found, "\n".join(found)


def test_what_is_no_secret_is_there_so_that_the_search_can_find_something(kept: tuple[Secrets, Kept]) -> None:
    places = [place for place, data in kept[1].items() if CONTROL.encode() in data]
    assert "table calls" in places
    assert any(place.endswith(".segment") for place in places)


def test_placeholders_stand_where_the_secrets_stood(kept: tuple[Secrets, Kept]) -> None:
    for table in ("table calls", "table changes", "table metric_points"):
        assert all(word in kept[1][table] for word in (b"<EMAIL_ADDRESS:", b"<CREDIT_CARD:")), table
