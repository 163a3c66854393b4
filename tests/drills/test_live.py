import gzip
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import msgspec
import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import NotFoundError
from holdfast.drills.faults.registry import find_fault
from holdfast.drills.live import DEMO_FAULTS, HttpPost, LiveAssistant, Pace, Reply, demo_scenario
from holdfast.drills.scenario import TraceSteps
from holdfast.testing.clock import FakeClock

PACE = Pace(rate=6, fault_after_s=8, duration_s=20)


class Server:
    """A receiver in memory: remembers what came when, and answers as it is told."""

    def __init__(self, clock: FakeClock, replies: Callable[[int], Reply] = lambda number: Reply(200)) -> None:
        self.clock = clock
        self.replies = replies
        self.received: list[tuple[int, str, bytes, dict[str, str]]] = []

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> Reply:
        self.received.append((self.clock.now_ns(), url, body, headers))
        return self.replies(len(self.received) - 1)

    @property
    def requests(self) -> list[tuple[int, ExportTraceServiceRequest]]:
        found = [(time, body) for time, url, body, _ in self.received if url.endswith("/v1/traces")]
        return [(time, ExportTraceServiceRequest.FromString(gzip.decompress(body))) for time, body in found]

    @property
    def changes(self) -> list[tuple[int, dict[str, object]]]:
        return [(time, orjson.loads(body)) for time, url, body, _ in self.received if url.endswith("/v1/changes")]


def assistant(clock: FakeClock, server: Server, fault: str = "grounding_rule_dropped", pace: Pace = PACE) -> LiveAssistant:
    return LiveAssistant(
        "http://127.0.0.1:4318/",
        demo_scenario(fault),
        pace,
        post=server,
        clock=clock,
        sleep=lambda seconds: void(clock.advance(seconds)),
    )


def void(value: object) -> None:
    """Nothing: a sleep returns nothing."""


def test_everything_is_sent_once_and_not_before_it_happened() -> None:
    clock = FakeClock()
    server = Server(clock)
    live = assistant(clock, server)
    sent = live.run()
    spans = [(time, s) for time, request in server.requests for s in request.resource_spans[0].scope_spans[0].spans]
    assert sent.requests == 120
    assert sent.spans == len(spans) == len({s.span_id for _, s in spans})
    assert all(s.end_time_unix_nano <= time for time, s in spans)
    assert sent.lost == sent.rejected == sent.retries == 0


def test_spans_do_not_wait_longer_than_two_seconds() -> None:
    clock = FakeClock()
    server = Server(clock)
    assistant(clock, server).run()
    waits = [
        time - s.end_time_unix_nano for time, request in server.requests for s in request.resource_spans[0].scope_spans[0].spans
    ]
    assert max(waits) < 3 * NS_PER_S


def test_the_change_is_announced_before_the_fault_appears() -> None:
    clock = FakeClock()
    server = Server(clock)
    live = assistant(clock, server)
    sent = live.run()
    assert live.injection is not None
    announced = next(time for time, event in server.changes if event["id"] == live.injection.change.id)  # type: ignore[union-attr]
    assert announced == pytest.approx(live.injection.change_ns, abs=NS_PER_S)
    assert announced <= live.injection.onset_ns
    assert sent.changes == len(server.changes) >= 2
    assert sent.struck > 0


def test_a_healthy_run_has_no_injection() -> None:
    clock = FakeClock()
    live = assistant(clock, Server(clock), fault="")
    assert live.injection is None
    assert live.run().struck == 0


@pytest.mark.parametrize("status", [429, 502, 503, 504, 0])
def test_a_busy_or_absent_server_gets_the_same_batch_again(status: int) -> None:
    clock = FakeClock()
    server = Server(clock, lambda number: Reply(status) if number in (0, 1) else Reply(200))
    sent = assistant(clock, server).run()
    assert sent.retries == 2
    assert sent.lost == 0
    assert server.received[0][2] == server.received[1][2] == server.received[2][2]


def test_retry_after_is_honoured() -> None:
    clock = FakeClock()
    server = Server(clock, lambda number: Reply(429, retry_after="4") if number == 0 else Reply(200))
    assistant(clock, server).run()
    assert server.received[1][0] - server.received[0][0] == 4 * NS_PER_S


@pytest.mark.parametrize("retry_after", ["soon", "-5", "nan", "1e9", ""])
def test_a_senseless_retry_after_does_not_stop_the_assistant(retry_after: str) -> None:
    clock = FakeClock()
    server = Server(clock, lambda number: Reply(503, retry_after=retry_after) if number == 0 else Reply(200))
    assert assistant(clock, server).run().lost == 0
    assert server.received[1][0] - server.received[0][0] <= 10 * NS_PER_S


def test_a_refused_batch_is_not_sent_again_and_counted_as_lost() -> None:
    clock = FakeClock()
    server = Server(clock, lambda number: Reply(400, b"bad") if number == 0 else Reply(200))
    sent = assistant(clock, server).run()
    assert sent.retries == 0
    assert sent.lost > 0
    assert "400 bad" in sent.last_error


def test_a_server_that_stays_away_loses_spans_openly_and_ends_the_run() -> None:
    clock = FakeClock()
    sent = assistant(
        clock, Server(clock, lambda number: Reply(0, b"refused")), pace=Pace(rate=2, fault_after_s=2, duration_s=4)
    ).run()
    assert sent.spans == 0
    assert sent.lost > 0
    assert "unreachable" in sent.last_error


def test_rejected_spans_of_a_partial_success_are_counted_and_not_sent_again() -> None:
    partial = ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=3)).SerializeToString()
    clock = FakeClock()
    server = Server(clock, lambda number: Reply(200, partial) if number == 0 else Reply(200))
    sent = assistant(clock, server).run()
    assert sent.rejected == 3
    assert sent.retries == 0


def test_a_reply_that_is_no_protobuf_is_no_reason_to_fail() -> None:
    clock = FakeClock()
    assert assistant(clock, Server(clock, lambda number: Reply(200, b"\xff\xff\xff"))).run().rejected == 0


def test_a_stopped_assistant_returns_soon_and_sends_what_it_has() -> None:
    clock = FakeClock()
    server = Server(clock)
    live = assistant(clock, server)

    def enough(number: int) -> Reply:
        live.stop()
        return Reply(200)

    server.replies = enough
    assert live.run().requests < 120


@pytest.mark.parametrize("name", DEMO_FAULTS)
def test_every_fault_of_the_demo_shows_within_its_time(name: str) -> None:
    clock = FakeClock()
    live = assistant(clock, Server(clock), name, Pace(rate=25, fault_after_s=20, duration_s=50))
    assert live.run().struck >= 20


def test_the_demo_has_a_fault_for_each_layer() -> None:
    assert len({find_fault(name).layer for name in DEMO_FAULTS[:5]}) == 5


def test_an_unknown_fault_is_refused_before_anything_is_sent() -> None:
    clock = FakeClock()
    with pytest.raises(NotFoundError):
        assistant(clock, Server(clock), "gremlins")


class Handler(BaseHTTPRequestHandler):
    seen: list[tuple[str, str, int]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, self.headers.get("Authorization", ""), len(body)))
        self.send_response(503)
        self.send_header("Retry-After", "7")
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"full")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_a_post_over_http_carries_the_token_and_brings_status_body_and_retry_after() -> None:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        post = HttpPost(token="secret")
        reply = post(f"http://127.0.0.1:{server.server_port}/v1/traces", b"abc", {"Content-Type": "text/plain"})
        post.close()
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
    assert reply == Reply(503, b"full", "7")
    assert Handler.seen[-1] == ("/v1/traces", "Bearer secret", 3)


def test_a_port_where_nobody_listens_is_a_reply_without_status() -> None:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    port = server.server_port
    server.server_close()
    post = HttpPost(timeout_s=2)
    assert post(f"http://127.0.0.1:{port}/v1/traces", b"", {}).status == 0
    post.close()


def test_requests_go_through_what_is_put_in_their_way() -> None:
    clock = FakeClock()
    server = Server(clock)
    one = assistant(clock, server)
    seen: list[str] = []

    def through(trace: TraceSteps) -> TraceSteps:
        seen.append(trace.calls[0].trace_id)
        return msgspec.structs.replace(trace, calls=trace.calls[:1])

    one.through = through
    sent = one.run()
    assert len(seen) == sent.requests == sent.spans
