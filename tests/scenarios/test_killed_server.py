"""A 200 means kept: whatever is killed whenever, every acknowledged span is stored exactly once."""

from pathlib import Path
from threading import Event, Thread

import httpx

from holdfast.core.call import Call
from holdfast.core.clock import NS_PER_S, SystemClock
from holdfast.drills.encode.otlp import proto_request, resource_attributes
from holdfast.drills.encode.registry import CONVENTIONS
from holdfast.drills.scenario import Scenario, generate
from holdfast.telemetry.store import TelemetryStore
from holdfast.testing.server import ServerProcess

HOUR_NS = 3600 * NS_PER_S
HEADERS = {"Content-Type": "application/x-protobuf"}


def body(calls: tuple[Call, ...]) -> bytes:
    encode, scope = CONVENTIONS["otel_genai"]
    message = proto_request(resource_attributes(calls[0], "replica-1", "otel_genai"), scope, [(c, encode(c)) for c in calls])
    return message.SerializeToString()


class Sender:
    """Sends traces as long as it is let, and knows which of them were acknowledged."""

    def __init__(self, url: str, traces: list[tuple[Call, ...]]) -> None:
        self._url, self._traces = f"{url}/v1/traces", traces
        self.sent: list[tuple[Call, ...]] = []
        self.acknowledged: list[tuple[Call, ...]] = []
        self.enough = Event()

    def run(self) -> None:
        with httpx.Client(timeout=30) as client:
            for calls in self._traces:
                self.sent.append(calls)
                try:
                    answer = client.post(self._url, content=body(calls), headers=HEADERS)
                except httpx.HTTPError:
                    return
                assert answer.status_code == 200
                self.acknowledged.append(calls)
                if len(self.acknowledged) == 40:
                    self.enough.set()


def test_what_was_acknowledged_before_kill_9_is_there_once_after_the_restart(tmp_path: Path) -> None:
    traces = [steps.calls for steps in generate(Scenario(calls=400, seed=9, start_ns=SystemClock().now_ns() - 13 * HOUR_NS))]
    running = ServerProcess(tmp_path).start()
    sender = Sender(running.otlp, traces)
    thread = Thread(target=sender.run)
    thread.start()
    assert sender.enough.wait(60)
    running.kill()
    thread.join(60)

    running.start()
    again = sender.acknowledged[:5]
    for calls in again:
        assert httpx.post(f"{running.otlp}/v1/traces", content=body(calls), headers=HEADERS, timeout=30).status_code == 200
    kept = sum(map(len, sender.acknowledged))
    running.wait_for("/api/v1/status", lambda answer: answer.json()["calls"] >= kept)
    assert running.stop() == 0

    with TelemetryStore(f"chdb://{running.data_dir}/telemetry") as store:
        stored = {call.key for calls in sender.sent if (found := store.trace(calls[0].trace_id)) for call in found.calls}
        assert {call.key for calls in sender.acknowledged for call in calls} <= stored
        assert store.count() == len(stored)
