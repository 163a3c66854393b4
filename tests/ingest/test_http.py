import gzip
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import msgspec
import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from holdfast.core.call import EvaluationRecord, MetricPoint
from holdfast.core.change import Change
from holdfast.ingest.auth import IngestToken, token_hash
from holdfast.ingest.intake import IntakeLimits
from holdfast.ingest.journal import JournalReader
from holdfast.ingest.record import Decoded
from tests.ingest.journals import PROMPT, wait_until
from tests.ingest.receivers import JSON, PROTOBUF, START_NS, Running, config, records, running, span_numbers, trace_body, twice

SECRET = "webhook-secret"
GZIP = {"content-encoding": "gzip"}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Running]:
    with running(config(tmp_path, github_secret=SECRET)) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One receiver for all the requests that leave nothing behind."""
    with running(config(tmp_path_factory.mktemp("refusing"))) as receiver:
        yield receiver


def status_of(response: httpx.Response) -> Status:
    return Status.FromString(response.content)


def json_spans(*numbers: int) -> bytes:
    spans = [
        {
            "traceId": f"{n + 1:032x}",
            "spanId": f"{n:016x}",
            "name": "chat",
            "startTimeUnixNano": str(START_NS),
            "endTimeUnixNano": str(START_NS + 1),
        }
        for n in numbers
    ]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def test_protobuf_spans_are_in_the_journal_when_they_are_acknowledged(served: Running, tmp_path: Path) -> None:
    response = served.send(1, 2, 3)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "application/x-protobuf"
    assert span_numbers(config(tmp_path)) == [1, 2, 3]


def test_json_spans_are_answered_in_json(served: Running, tmp_path: Path) -> None:
    response = served.post("/v1/traces", json_spans(4), {"content-type": "application/json; charset=utf-8"})
    assert (response.status_code, response.json()) == (200, {})
    assert response.headers["content-type"] == "application/json"
    assert span_numbers(config(tmp_path)) == [4]


def test_gzip_is_taken_in_both_encodings(served: Running, tmp_path: Path) -> None:
    assert served.post("/v1/traces", gzip.compress(trace_body([1])), PROTOBUF | GZIP).status_code == 200
    assert served.post("/v1/traces", gzip.compress(json_spans(2)), JSON | GZIP).status_code == 200
    assert span_numbers(config(tmp_path)) == [1, 2]


@pytest.mark.parametrize(("body", "headers"), [(b"", PROTOBUF), (b"{}", JSON), (b'{"resourceSpans": []}', JSON)])
def test_an_empty_request_is_a_success(refusing: Running, body: bytes, headers: dict[str, str]) -> None:
    assert refusing.post("/v1/traces", body, headers).status_code == 200


def test_evaluations_come_over_logs(served: Running, tmp_path: Path) -> None:
    request = ExportLogsServiceRequest()
    log = (
        request.resource_logs.add()
        .scope_logs.add()
        .log_records.add(time_unix_nano=START_NS, event_name="gen_ai.evaluation.result")
    )
    log.trace_id, log.span_id = bytes(15) + b"\1", bytes(7) + b"\1"
    log.attributes.add(key="gen_ai.evaluation.name").value.string_value = "helpfulness"
    log.attributes.add(key="gen_ai.evaluation.score.value").value.double_value = 0.25
    assert served.post("/v1/logs", request.SerializeToString(), PROTOBUF).status_code == 200
    (record,) = records(config(tmp_path))
    assert isinstance(record, EvaluationRecord)
    assert record.evaluation.value == 0.25


def test_metrics_are_kept(served: Running, tmp_path: Path) -> None:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="gpu.utilisation")
    metric.gauge.data_points.add(time_unix_nano=START_NS, as_double=0.5)
    assert served.post("/v1/metrics", request.SerializeToString(), PROTOBUF).status_code == 200
    (record,) = records(config(tmp_path))
    assert isinstance(record, MetricPoint)


def test_a_span_without_an_id_is_rejected_by_name_and_the_others_are_kept(served: Running, tmp_path: Path) -> None:
    response = served.send(1, 0, 2)
    partial = ExportTraceServiceResponse.FromString(response.content).partial_success
    assert response.status_code == 200
    assert partial.rejected_spans == 1
    assert "spans[1]" in partial.error_message
    assert span_numbers(config(tmp_path)) == [1, 2]


@pytest.mark.parametrize("body", [b"garbage", b"\x0a\xff\xff\xff\xff\x7f", bytes(100), b"\xff" * 1000])
def test_undecodable_protobuf_is_refused_for_good_with_a_status(served: Running, tmp_path: Path, body: bytes) -> None:
    response = served.post("/v1/traces", body, PROTOBUF)
    assert response.status_code == 400
    assert "retry-after" not in response.headers
    assert status_of(response).code == 3
    assert records(config(tmp_path)) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b"nan"])
def test_json_of_the_wrong_shape_is_refused_with_a_status_in_json(refusing: Running, body: bytes) -> None:
    response = refusing.post("/v1/traces", body, JSON)
    assert response.status_code == 400
    assert response.json()["code"] == 3
    assert response.json()["message"]


def test_json_whose_parts_have_the_wrong_shape_is_told_so(refusing: Running) -> None:
    response = refusing.post("/v1/traces", b'{"resourceSpans": 7}', JSON)
    assert "resourceSpans" in response.json()["partialSuccess"]["errorMessage"]


@pytest.mark.parametrize(
    "body", [b"", b"plain", gzip.compress(b"{}", mtime=0)[:-3], gzip.compress(b"{}", mtime=0) + b"tail", b"\x1f\x8b\x08"]
)
def test_gzip_that_is_none_is_refused(refusing: Running, body: bytes) -> None:
    assert refusing.post("/v1/traces", body, JSON | GZIP).status_code == 400


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/xml", "application/jsonp", "application/x-protobufs"])
def test_other_content_types_are_415(refusing: Running, content_type: str) -> None:
    response = refusing.post("/v1/traces", b"{}", {"content-type": content_type})
    assert response.status_code == 415
    assert "application/x-protobuf" in response.json()["message"]


def test_other_content_encodings_are_415(refusing: Running) -> None:
    response = refusing.post("/v1/traces", b"x", PROTOBUF | {"content-encoding": "zstd"})
    assert response.status_code == 415
    assert "gzip" in status_of(response).message


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_405(refusing: Running, method: str) -> None:
    response = refusing.http.request(method, "/v1/traces")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json()["message"]


@pytest.mark.parametrize("path", ["/", "/v1/traces/", "/v1/profiles", "/v1/changes/gitlab", "/%00"])
def test_other_paths_are_404(refusing: Running, path: str) -> None:
    response = refusing.post(path, b"", PROTOBUF)
    assert response.status_code == 404
    assert status_of(response).code == 5


def test_a_body_over_the_limit_is_413_before_it_is_read(tmp_path: Path) -> None:
    with running(config(tmp_path, intake=IntakeLimits(max_body_bytes=1000))) as served:
        with socket.create_connection((served.endpoints.host, served.endpoints.http_port), timeout=20) as sender:
            sender.sendall(
                b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1001\r\n\r\n"
            )
            assert sender.recv(100).startswith(b"HTTP/1.1 413")
        assert served.send(1).status_code == 200


def test_a_body_of_unknown_length_over_the_limit_is_413(tmp_path: Path) -> None:
    with running(config(tmp_path, intake=IntakeLimits(max_body_bytes=1000))) as served:
        response = served.http.post("/v1/traces", content=iter([b"x" * 600, b"x" * 600]), headers=PROTOBUF)
        assert response.status_code == 413
        assert status_of(response).code == 8
        assert "retry-after" not in response.headers


@pytest.mark.parametrize("levels", [1, 2])
def test_a_body_over_the_limit_after_decompression_is_413(tmp_path: Path, levels: int) -> None:
    with running(config(tmp_path, intake=IntakeLimits(max_body_bytes=100_000))) as served:
        bomb = gzip.compress(b"\x0a" * (200_000 // levels)) * levels
        assert len(bomb) < 1000
        assert served.post("/v1/traces", bomb, PROTOBUF | GZIP).status_code == 413
        assert served.send(1).status_code == 200


def test_a_large_body_is_decoded_beside_the_small_ones(tmp_path: Path) -> None:
    with running(config(tmp_path, intake=IntakeLimits(inline_bytes=1000))) as served:
        assert served.send(*range(1, 400)).status_code == 200
        assert served.post("/v1/traces", b"\xff" * 5000, PROTOBUF).status_code == 400
    assert span_numbers(config(tmp_path)) == list(range(1, 400))


def test_what_people_wrote_is_redacted_before_it_is_on_disk(served: Running, tmp_path: Path) -> None:
    text = "write to jane.doe@example.org or pay with 4111 1111 1111 1111"
    assert served.post("/v1/traces", trace_body([1], text=text), PROTOBUF).status_code == 200
    change = {
        "specversion": "1.0",
        "id": "7",
        "source": "ci",
        "type": "holdfast.change.v1",
        "time": "2026-11-23T04:05:06Z",
        "data": {"kind": "prompt", "to": "ask jane.doe@example.org"},
    }
    assert (
        served.post("/v1/changes", json.dumps(change).encode(), {"content-type": "application/cloudevents+json"}).status_code
        == 202
    )
    written = b"".join(path.read_bytes() for path in (tmp_path / "journal").iterdir())
    assert b"EMAIL_ADDRESS" in written
    assert b"jane.doe" not in written
    assert b"4111" not in written


def test_a_pipeline_that_is_too_far_behind_is_429_until_it_has_caught_up(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(PROMPT, max_lag_bytes=500)
    with running(config(tmp_path, journal=limits)) as served, JournalReader(config(tmp_path).directory) as reader:
        assert served.send(1, 2, 3).status_code == 200
        response = served.send(4)
        assert response.status_code == 429
        assert int(response.headers["retry-after"]) >= 1
        assert "behind" in status_of(response).message
        assert len(reader.read(timeout=5)) == 3
        reader.commit(reader.position)
        wait_until(lambda: served.send(5).status_code == 200)
    assert span_numbers(config(tmp_path)) == [5]


def test_a_full_disk_is_503_and_unhealthy(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(PROMPT, min_free_bytes=2**62)
    with running(config(tmp_path, journal=limits)) as served:
        response = served.send(1)
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) >= 1
        assert served.http.get("/healthz").status_code == 503
        assert "free" in served.http.get("/healthz").json()["reason"]


def half_a_request(served: Running, length: int = 1000, sent: int = 10) -> socket.socket:
    sender = socket.create_connection((served.endpoints.host, served.endpoints.http_port), timeout=20)
    head = f"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: {length}\r\n\r\n"
    sender.sendall(head.encode() + b"x" * sent)
    return sender


def test_a_body_that_does_not_arrive_in_time_is_503_so_that_it_is_sent_again(tmp_path: Path) -> None:
    with running(config(tmp_path, intake=IntakeLimits(read_timeout_s=0.05))) as served, half_a_request(served) as sender:
        assert sender.recv(100).startswith(b"HTTP/1.1 503")


def test_a_sender_that_hangs_up_leaves_nothing_behind(served: Running, tmp_path: Path) -> None:
    budget = served.receiver.intake.budget
    half_a_request(served).close()
    half_a_request(served).close()
    assert served.send(1).status_code == 200
    wait_until(lambda: (budget.requests, budget.bytes) == (0, 0))
    assert span_numbers(config(tmp_path)) == [1]


def test_more_requests_at_a_time_than_allowed_are_told_to_wait(tmp_path: Path) -> None:
    with running(config(tmp_path, intake=IntakeLimits(max_requests=1))) as served:
        with half_a_request(served):
            wait_until(lambda: served.receiver.intake.budget.requests == 1)
            assert served.send(1).status_code == 429
        wait_until(lambda: served.send(2).status_code == 200)


def test_more_bytes_of_bodies_than_allowed_are_told_to_wait(tmp_path: Path) -> None:
    with running(config(tmp_path, intake=IntakeLimits(max_buffered_bytes=20_000))) as served:
        with half_a_request(served, length=30_000, sent=19_990):
            wait_until(lambda: served.receiver.intake.budget.bytes > 19_000)
            assert served.send(1, 2, 3).status_code == 429
        wait_until(lambda: served.send(2).status_code == 200)


def test_senders_at_the_same_time_lose_and_double_nothing(served: Running, tmp_path: Path) -> None:
    batches = [range(start, start + 7) for start in range(1, 700, 7)]
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda batch: served.send(*batch).status_code, batches))
    assert set(codes) == {200}
    found = span_numbers(config(tmp_path))
    assert twice(found) == []
    assert set(found) == {number for batch in batches for number in batch}


TOKENS = (IngestToken(application="support", sha256=token_hash("right")),)


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"x-holdfast-token": "wrong"}])
def test_without_the_token_nothing_is_taken(tmp_path: Path, headers: dict[str, str]) -> None:
    with running(config(tmp_path, tokens=TOKENS)) as served:
        for path in ("/v1/traces", "/v1/logs", "/v1/metrics", "/v1/changes"):
            response = served.post(path, trace_body([1]), PROTOBUF | headers)
            assert response.status_code == 401
            assert "www-authenticate" in response.headers
            assert status_of(response).code == 16
        assert served.http.get("/metrics", headers=headers).status_code == 401
        assert served.http.get("/healthz", headers=headers).status_code == 200
    assert records(config(tmp_path)) == []


def test_a_token_takes_its_own_service_and_no_other(tmp_path: Path) -> None:
    with running(config(tmp_path, tokens=TOKENS)) as served:
        assert served.send(1, authorization="Bearer right").content == b""
        foreign = served.post("/v1/traces", trace_body([2], service="billing"), PROTOBUF | {"x-holdfast-token": "right"})
        partial = ExportTraceServiceResponse.FromString(foreign.content).partial_success
        assert partial.rejected_spans == 1
        assert "billing" in partial.error_message
        assert served.post("/v1/traces", trace_body([3], service=""), PROTOBUF | {"x-holdfast-token": "right"}).status_code == 200
    assert span_numbers(config(tmp_path)) == [1, 3]
    assert {record.service for record in records(config(tmp_path))} == {"support"}


def event(**data: str) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": "42",
        "source": "ci",
        "type": "holdfast.change.v1",
        "time": "2026-11-23T04:05:06Z",
        "data": {"kind": "prompt", "target": "answer", **data},
    }


def test_a_change_is_kept_in_each_mode_of_cloudevents(served: Running, tmp_path: Path) -> None:
    structured = json.dumps(event(to="v2")).encode()
    batch = json.dumps([event(to="v3"), event(to="v4")]).encode()
    attributes = {f"ce-{name}": value for name, value in event().items() if isinstance(value, str)}
    binary = json.dumps({"kind": "prompt", "to": "v5"}).encode()
    for body, headers in (
        (structured, {"content-type": "application/cloudevents+json"}),
        (batch, {"content-type": "application/cloudevents-batch+json"}),
        (binary, attributes | JSON),
    ):
        assert served.post("/v1/changes", body, headers).status_code == 202
    assert [record.to_value for record in records(config(tmp_path)) if isinstance(record, Change)] == ["v2", "v3", "v4", "v5"]


@pytest.mark.parametrize("body", [b"", b"{}", b"[{}]", json.dumps(event(kind="weather")).encode()])
def test_what_is_no_change_is_refused(refusing: Running, body: bytes) -> None:
    response = refusing.post("/v1/changes", body, {"content-type": "application/cloudevents+json"})
    assert response.status_code == 400
    assert response.json()["message"]


def github(body: bytes, secret: str = SECRET, kind: str = "deployment") -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return JSON | {"x-github-event": kind, "x-hub-signature-256": f"sha256={signature}"}


SHA = "3f786850e387550fdab836ed7e6dc881de23001b"
DEPLOYMENT = json.dumps(
    {
        "deployment": {"id": 9, "sha": SHA, "environment": "production", "created_at": "2026-11-23T04:05:06Z"},
        "repository": {"full_name": "acme/support"},
    }
).encode()


def test_a_signed_deployment_of_github_is_a_change(served: Running, tmp_path: Path) -> None:
    assert served.post("/v1/changes/github", DEPLOYMENT, github(DEPLOYMENT)).status_code == 202
    (change,) = records(config(tmp_path))
    assert isinstance(change, Change)
    assert change.to_value == SHA


def test_a_webhook_that_is_no_deployment_is_answered_and_not_kept(served: Running, tmp_path: Path) -> None:
    assert served.post("/v1/changes/github", b"{}", github(b"{}", kind="ping")).status_code == 200
    assert records(config(tmp_path)) == []


@pytest.mark.parametrize("headers", [JSON, github(DEPLOYMENT, "wrong"), github(DEPLOYMENT + b" ")])
def test_a_webhook_with_a_wrong_signature_is_401(served: Running, tmp_path: Path, headers: dict[str, str]) -> None:
    assert served.post("/v1/changes/github", DEPLOYMENT, headers).status_code == 401
    assert records(config(tmp_path)) == []


def test_without_a_secret_no_webhook_is_served(tmp_path: Path) -> None:
    with running(config(tmp_path)) as served:
        assert served.post("/v1/changes/github", DEPLOYMENT, github(DEPLOYMENT)).status_code == 404


def test_the_receiver_counts_what_it_did(served: Running) -> None:
    served.send(1, 2, 0)
    served.post("/v1/traces", b"garbage", PROTOBUF)
    text = served.http.get("/metrics").text
    assert 'holdfast_ingest_accepted_total{feed="traces"} 2.0' in text
    assert 'holdfast_ingest_rejected_total{feed="traces",reason="invalid"} 1.0' in text
    assert 'holdfast_ingest_requests_total{code="400",feed="traces",transport="http"} 1.0' in text
    assert 'holdfast_ingest_ack_seconds_count{feed="traces"} 1.0' in text
    lag = next(line for line in text.splitlines() if line.startswith("holdfast_ingest_lag_bytes "))
    assert float(lag.split()[1]) > 0


def test_a_healthy_receiver_says_so(served: Running) -> None:
    assert served.http.get("/healthz").json() == {"status": "ok", "reason": ""}
    assert served.http.head("/healthz").status_code == 200


def broken(body: bytes) -> Iterator[Decoded]:
    raise ZeroDivisionError("a fault of ours")


def test_a_fault_of_ours_is_a_500_and_counted_and_the_next_request_is_served(tmp_path: Path) -> None:
    with running(config(tmp_path)) as served:
        decoders = dict(served.receiver.intake._decoders)
        served.receiver.intake._decoders = {key: broken for key in decoders}
        response = served.send(1)
        assert response.status_code == 500
        assert "ours" not in status_of(response).message
        served.receiver.intake._decoders = decoders
        assert served.send(2).status_code == 200
    assert span_numbers(config(tmp_path)) == [2]
