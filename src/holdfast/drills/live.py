"""A sample application in real time: it sends OTLP over HTTP to a server, announces its changes, and breaks after a while."""

import gzip
import heapq
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Protocol

import msgspec
import orjson
import urllib3
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from holdfast.core.call import Call
from holdfast.core.change import Change
from holdfast.core.clock import NS_PER_S, Clock, SystemClock
from holdfast.drills.encode.otlp import proto_request, resource_attributes
from holdfast.drills.encode.registry import CONVENTIONS
from holdfast.drills.injection import Injection
from holdfast.drills.scenario import Scenario, TraceSteps, play, prepare
from holdfast.drills.write import by_end, cloudevent

DEMO_FAULTS = (
    "grounding_rule_dropped",
    "wrong_embedder",
    "wrong_model_routed",
    "redactor_broken",
    "tool_schema_change",
    "template_variable_unsubstituted",
    "max_tokens_too_low",
    "streaming_truncation",
    "poisoned_document",
    "agent_loop",
)
"""Faults that show within a minute at the demo's rate; the first five are one per layer."""

RETRYABLE = frozenset({429, 502, 503, 504})
MAX_ATTEMPTS = 8
FIRST_WAIT_S = 0.25
MAX_WAIT_S = 10.0
FLUSH_S = 1.0
FLUSH_SPANS = 256
REQUEST_TIMEOUT_S = 10.0


class Reply(msgspec.Struct, frozen=True):
    """What a server answered. Status 0: it could not be reached."""

    status: int
    body: bytes = b""
    retry_after: str = ""


class Post(Protocol):
    """Sends one HTTP POST. Never raises for a server that cannot be reached: that is a reply with status 0."""

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> Reply:
        """The server's answer."""
        ...


class HttpPost:
    """POST over a pooled connection."""

    def __init__(self, token: str = "", timeout_s: float = REQUEST_TIMEOUT_S) -> None:
        """`token` is the ingest token, where the server wants one."""
        self._authorization = {"Authorization": f"Bearer {token}"} if token else {}
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(total=timeout_s))

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> Reply:
        """The server's answer, status 0 when there is none."""
        try:
            response = self._pool.request("POST", url, body=body, headers={**headers, **self._authorization})
        except urllib3.exceptions.HTTPError as error:
            return Reply(0, str(error).encode())
        return Reply(response.status, response.data, response.headers.get("Retry-After", ""))

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()


class Sent(msgspec.Struct):
    """Counts of what the assistant did so far. `struck` are requests that the fault harmed; `lost` spans were given up on."""

    requests: int = 0
    struck: int = 0
    spans: int = 0
    rejected: int = 0
    lost: int = 0
    retries: int = 0
    changes: int = 0
    last_error: str = ""


class Pace(msgspec.Struct, frozen=True):
    """`rate`: requests a second. `fault_after_s`: seconds until the change that brings the fault. `duration_s`: in all."""

    rate: float = 25.0
    fault_after_s: float = 45.0
    duration_s: float = 110.0


class LiveAssistant:
    """Runs a scenario in real time, from now on.

    Args:
        endpoint: base address of the server, such as ``http://127.0.0.1:4318``.
        scenario: what to run. Its start, length, number of requests and moment of the fault are set from the arguments below.
        pace: how much, how long, and when it breaks.
        post, clock, sleep: network and time, exchangeable for tests.
    """

    def __init__(
        self,
        endpoint: str,
        scenario: Scenario,
        pace: Pace | None = None,
        post: Post | None = None,
        clock: Clock | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._sleep = sleep or time.sleep
        self._post = post or HttpPost()
        self._endpoint = endpoint.rstrip("/")
        self._jitter = Random(scenario.seed)
        pace = pace or Pace()
        self._stopped = False
        self.through: Callable[[TraceSteps], TraceSteps] = lambda trace: trace
        """What each request goes through on its way, such as a gateway that has another model answer."""
        self.sent = Sent()
        self.prepared = prepare(
            msgspec.structs.replace(
                scenario,
                start_ns=self._clock.now_ns(),
                hours=pace.duration_s / 3600,
                calls=max(int(pace.rate * pace.duration_s), 1),
                fault_at=min(pace.fault_after_s / pace.duration_s, 1.0),
                delay_s=min(scenario.delay_s, 1.0),
            )
        )
        name = scenario.convention or self.prepared.application.convention
        self._name = name
        self._encode, self._scope = CONVENTIONS[name]

    @property
    def injection(self) -> Injection | None:
        """The fault at work, with its moment and its cohort; None in a healthy run."""
        return self.prepared.injections[0] if self.prepared.injections else None

    def stop(self) -> None:
        """Make `run` return soon; may be called from another thread."""
        self._stopped = True

    def run(self) -> Sent:
        """Send everything at its time; returns when the scenario is over or `stop` was called."""
        batches: dict[str, list[Call]] = {}
        flush_at = self._clock.now_ns()
        for time_ns, event, replica in self._events():
            self._wait_until(time_ns)
            if self._stopped:
                break
            if isinstance(event, Change):
                self._announce(event)
                continue
            batches.setdefault(replica, []).append(event)
            if self._clock.now_ns() >= flush_at or sum(map(len, batches.values())) >= FLUSH_SPANS:
                self._flush(batches)
                flush_at = self._clock.now_ns() + int(FLUSH_S * NS_PER_S)
        self._flush(batches)
        return self.sent

    def _events(self) -> Iterator[tuple[int, Call | Change, str]]:
        """Changes and ended calls in order of time."""
        changes = ((change.time_ns, change, "") for change in self.prepared.changes)
        calls = ((call.end_ns, call, replica) for call, replica in by_end(self._counted()))
        return heapq.merge(changes, calls, key=lambda event: event[0])

    def _counted(self) -> Iterator[TraceSteps]:
        for trace in play(self.prepared):
            self.sent.requests += 1
            self.sent.struck += bool(trace.struck)
            yield self.through(trace)

    def _wait_until(self, time_ns: int) -> None:
        while not self._stopped:
            left_s = (time_ns - self._clock.now_ns()) / NS_PER_S
            if left_s <= 0:
                return
            self._sleep(min(left_s, 0.5))

    def _flush(self, batches: dict[str, list[Call]]) -> None:
        for replica, calls in batches.items():
            if calls:
                self._send_calls(replica, calls)
        batches.clear()

    def _send_calls(self, replica: str, calls: list[Call]) -> None:
        resource = resource_attributes(calls[0], replica, self._name)
        message = proto_request(resource, self._scope, [(call, self._encode(call)) for call in calls])
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
        reply = self._deliver("/v1/traces", gzip.compress(message.SerializeToString(), 1), headers)
        if reply.status != 200:
            self.sent.lost += len(calls)
            return
        rejected = _rejected(reply.body)
        self.sent.rejected += rejected
        self.sent.spans += len(calls) - rejected

    def _announce(self, change: Change) -> None:
        body = orjson.dumps(cloudevent(change))
        reply = self._deliver("/v1/changes", body, {"Content-Type": "application/cloudevents+json"})
        if 200 <= reply.status < 300:
            self.sent.changes += 1

    def _deliver(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        """Send, and send again while the server asks for patience or is away; the last reply when it never took it."""
        reply = Reply(0)
        for attempt in range(MAX_ATTEMPTS):
            reply = self._post(self._endpoint + path, body, headers)
            if reply.status and reply.status not in RETRYABLE:
                break
            if self._stopped or attempt == MAX_ATTEMPTS - 1:
                break
            self.sent.retries += 1
            self._sleep(self._pause(attempt, reply.retry_after))
        if not 200 <= reply.status < 300:
            self.sent.last_error = f"{path}: {reply.status or 'unreachable'} {reply.body[:200].decode(errors='replace')}".strip()
        return reply

    def _pause(self, attempt: int, retry_after: str) -> float:
        """Seconds to wait: what the server asks for, else exponential with jitter; never more than MAX_WAIT_S."""
        try:
            asked = float(retry_after)
        except ValueError:
            asked = FIRST_WAIT_S * 2**attempt * self._jitter.uniform(0.75, 1.25)
        return min(max(asked, 0.0), MAX_WAIT_S) if asked == asked else MAX_WAIT_S


def _rejected(body: bytes) -> int:
    try:
        return int(ExportTraceServiceResponse.FromString(body).partial_success.rejected_spans)
    except DecodeError:
        return 0


def demo_scenario(fault: str, seed: int = 7) -> Scenario:
    """The demo's scenario: the support assistant, the fault at full rollout.

    Raises:
        NotFoundError: when it is prepared, if there is no such fault.
    """
    return Scenario(application="support", fault=fault, seed=seed, severity=1.0, delay_s=1.0)
