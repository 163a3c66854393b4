"""How fast pages and searches answer with much behind them: `python -m bench.console [--calls 1000000] [--incidents 1000]`.

Fills a store with real scored calls over a day, multiplied under other ids, and a ledger with incidents; serves API and console
in a process of its own; asks for each page and search one after the other, and then for the overview as 50 viewers who hold a
live stream each. With `--folder` the stores are kept, and used again where they are there.
Prints milliseconds: the first answer, which nothing was remembered for, the least, median and 95th percentile of those after it,
and how much processor time of the server each took.
"""

import argparse
import asyncio
import multiprocessing
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from multiprocessing.synchronize import Event
from pathlib import Path

import httpx
from msgspec.structs import replace

from holdfast.access.access import Access, AccessPolicy
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.api.goodbye import ApiServer, api_config
from holdfast.api.rate import RateLimit, RatePolicy
from holdfast.console.router import router
from holdfast.core.call import Call
from holdfast.core.clock import NS_PER_S, SystemClock
from holdfast.core.diagnosis import Cause, Diagnosis, Layer, LayerProbability
from holdfast.core.events import DiagnosisMade, ImpactMeasured, IncidentEvent, IncidentOpened, IncidentResolved, Recorded
from holdfast.core.incident import Impact, Severity
from holdfast.core.signal import Exemplar, Segment, Signal
from holdfast.core.trace import Trace
from holdfast.drills.scenario import Scenario, play, prepare
from holdfast.ledger.store import Ledger
from holdfast.live import Progress
from holdfast.score.registry import METRICS, SCORERS
from holdfast.score.run import Scoring
from holdfast.telemetry.store import TelemetryStore

DAY_NS = 86_400 * NS_PER_S
TEMPLATE_TRACES = 400
ROUNDS = 20
VIEWERS = 50

ORDER = "JP-00000000"
"""Stands in one question of every trace; each copy has a number of its own there, as customers have."""

_MULTIPLY = """
INSERT INTO calls SELECT * EXCEPT (n) REPLACE (
    concat(substring(trace_id, 1, 24), lower(hex(toUInt32(n)))) AS trace_id,
    replaceAll(body, {order:String}, concat('JP-', hex(toUInt32(cityHash64(trace_id, n))))) AS body,
    start_ns - toInt64(n) * {step:Int64} AS start_ns, end_ns - toInt64(n) * {step:Int64} AS end_ns
) FROM (SELECT *, arrayJoin(range(1, {copies:UInt64} + 1)) AS n FROM calls)
"""


def main() -> None:
    """Fills, serves, measures, prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--incidents", type=int, default=1_000)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        folder = asked.folder or Path(name)
        if not (folder / "telemetry").exists():
            begin = time.perf_counter()
            fill(folder, asked.calls, asked.incidents)
            print(f"filled in {time.perf_counter() - begin:.0f} s", flush=True)
        context = multiprocessing.get_context("spawn")
        ready, port = context.Event(), free_port()
        process = context.Process(target=serve, args=(folder, port, ready), daemon=True)
        process.start()
        if not ready.wait(120):
            raise TimeoutError("the server did not start")
        try:
            measure(f"http://127.0.0.1:{port}", Spent(process.pid or 0))
            asyncio.run(measure_viewers(f"http://127.0.0.1:{port}"))
        finally:
            print(f"server {'is up' if process.is_alive() else f'ended with {process.exitcode}'}", flush=True)
            process.terminate()
            process.join(10)


def fill(folder: Path, calls: int, incidents: int) -> None:
    """Makes the stores."""
    now = SystemClock().now_ns()
    with TelemetryStore(f"chdb://{folder}/telemetry") as telemetry, Ledger(f"sqlite:///{folder}/ledger.sqlite") as ledger:
        traces = list(templates(now))
        telemetry.append(Scoring(SCORERS).score(traces))
        have = telemetry.count()
        copies = max(calls // have - 1, 1)
        telemetry._connection.command(_MULTIPLY, {"step": DAY_NS // copies, "copies": copies, "order": ORDER})
        print(f"{telemetry.count():,} calls of {', '.join(telemetry.services())}")
        for begin in range(0, incidents, 50):
            ledger.append(
                [event for n in range(begin, min(begin + 50, incidents)) for event in incident(n, now, traces[n % len(traces)])]
            )


def templates(now: int) -> Iterator[Trace]:
    """Traces of a drill, moved so that the last one ends now."""
    scenario = Scenario(fault="grounding_rule_dropped", calls=TEMPLATE_TRACES, hours=0.2, fault_at=0.5)
    played = [Trace(steps.calls[0].trace_id, steps.calls) for steps in play(prepare(scenario))]
    shift = now - max(trace.end_ns for trace in played) - NS_PER_S
    for trace in played:
        moved = [replace(c, start_ns=c.start_ns + shift, end_ns=c.end_ns + shift) for c in trace.calls]
        yield Trace(trace.trace_id, tuple(_with_order(call) for call in moved))


def _with_order(call: Call) -> Call:
    if not call.input_messages:
        return call
    *before, last = call.input_messages
    return replace(call, input_messages=(*before, replace(last, content=f"{last.content} My order is {ORDER}.")))


def incident(number: int, now: int, trace: Trace) -> list[Recorded]:
    """An incident with a signal, a diagnosis and an impact; nine of ten are resolved."""
    at = now - (number + 1) * 40 * NS_PER_S
    where = Segment(trace.service, "route", "/chat")
    seen = Signal(
        id=f"sig_{number}",
        detector="bench",
        metric="ungrounded_answer",
        segment=where,
        onset_ns=at,
        detected_ns=at + 20 * NS_PER_S,
        baseline=0.1,
        observed=0.4,
        log_evidence=15.0,
        threshold=12.0,
        calls=200,
        bad=80.0,
        budget=0.01,
        exemplars=(Exemplar(trace.trace_id, trace.root.span_id, "the number 42 is in no document"),),
    )
    layers = tuple(LayerProbability(layer, 0.7 if i == 0 else 0.05) for i, layer in enumerate(Layer))
    diagnosis = Diagnosis(
        time_ns=at + 30 * NS_PER_S,
        layers=layers,
        causes=(Cause(fault="grounding_rule_dropped", layer=Layer.PROMPT_ENGINEERING, probability=0.6),),
        cohort={"route": "/chat"},
    )
    opening = IncidentOpened(
        service=trace.service,
        title=f"Hallucination rose {number}",
        severity=list(Severity)[number % 4],
        started_ns=at,
        detected_ns=at + 20 * NS_PER_S,
        signal=seen,
    )
    events: list[IncidentEvent] = [
        opening,
        DiagnosisMade(diagnosis=diagnosis),
        ImpactMeasured(impact=Impact(calls=80, calls_low=60, calls_high=99, users=50)),
    ]
    made: list[Recorded] = [
        Recorded(incident_id=f"inc_{number:06d}", time_ns=at + 20 * NS_PER_S, actor="bench", event=event) for event in events
    ]
    if number % 10:
        made.append(
            Recorded(
                incident_id=f"inc_{number:06d}", time_ns=at + 60 * NS_PER_S, actor="bench", event=IncidentResolved(reason="done")
            )
        )
    return made


class Aged:
    """A clock that began when the data did end, however long ago that was."""

    def __init__(self, newest_ns: int) -> None:
        self._behind_ns = SystemClock().now_ns() - newest_ns - NS_PER_S

    def now_ns(self) -> int:
        """The time of the data, which goes on."""
        return SystemClock().now_ns() - self._behind_ns


def serve(folder: Path, port: int, ready: Event) -> None:
    """API and console until the process is ended."""
    telemetry, ledger = TelemetryStore(f"chdb://{folder}/telemetry"), Ledger(f"sqlite:///{folder}/ledger.sqlite")
    clock = Aged(int(telemetry._connection.rows("SELECT max(end_ns) FROM calls")[0][0]))
    context = ApiContext(
        telemetry=telemetry,
        ledger=ledger,
        metrics=METRICS,
        progress=Progress(last_read_ns=clock.now_ns()),
        clock=clock,
        access=Access(ledger.accounts, clock, AccessPolicy(demo=True)),
        rate=RateLimit(clock, RatePolicy(per_s=1e6, burst=1e6)),
    )
    ready.set()
    ApiServer(api_config(create_app(context, router), host="127.0.0.1", port=port)).run()


def paths(trace_id: str, order: str) -> dict[str, str]:
    """What is asked for, by name."""
    return {
        "overview": "/",
        "incidents": "/incidents",
        "incident": "/incidents/inc_000010",
        "calls": "/calls",
        "trace": f"/traces/{trace_id}",
        "metrics": "/charts",
        "changes": "/changes",
        "control": "/control",
        "audit": "/audit",
        "settings": "/settings",
        "list incidents": "/api/v1/incidents?state=open&order=severity",
        "search incidents": "/api/v1/incidents?text=rose+7",
        "list calls": "/api/v1/calls?limit=50",
        "search route": "/api/v1/calls?where=route%3D/chat&kind=llm",
        "search score": "/api/v1/calls?metric=ungrounded_answer&score_from=0.9",
        "search text": "/api/v1/calls?text=warranty",
        "search a word": "/api/v1/calls?text=kayak&limit=10",
        "search an order": f"/api/v1/calls?text={order}&limit=10",
        "search part of an order": f"/api/v1/calls?text={order[4:]}&limit=10",
        "search a rare phrase": f"/api/v1/calls?text=my+order+is+{order}&limit=10",
        "search what is nowhere": "/api/v1/calls?text=zzzyx&limit=10",
        "trace tree": f"/api/v1/traces/{trace_id}",
    }


class Spent:
    """Processor time of the server."""

    def __init__(self, pid: int) -> None:
        self._path = Path(f"/proc/{pid}/stat")

    def ms(self) -> float:
        """So far, of all its threads."""
        fields = self._path.read_text().rpartition(")")[2].split()
        return 1e3 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(base: str, spent: Spent) -> None:
    """Each path on its own, one request after the other."""
    with httpx.Client(base_url=base, timeout=120) as client:
        for _ in range(600):
            try:
                client.get("/healthz")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        trace_id, order = an_order(client)
        for name, path in paths(trace_id, order).items():
            taken = []
            before = spent.ms()
            for _ in range(ROUNDS + 1):
                begin = time.perf_counter()
                client.get(path).raise_for_status()
                taken.append(1e3 * (time.perf_counter() - begin))
            say(name, taken[1:], f"first {taken[0]:7.0f} ms   processor {(spent.ms() - before) / len(taken):5.0f} ms")


def an_order(client: httpx.Client) -> tuple[str, str]:
    """A trace of half a day before the end of the data, and the order that only it is about."""
    newest = client.get("/api/v1/calls?limit=1").raise_for_status().json()[0]
    until = datetime.fromisoformat(newest["end"]) - timedelta(hours=12)
    found = client.get("/api/v1/calls", params={"limit": 1, "kind": "llm", "text": "my order is", "until": until.isoformat()})
    trace_id = found.raise_for_status().json()[0]["trace_id"]
    text = client.get(f"/api/v1/traces/{trace_id}").raise_for_status().text
    return trace_id, text[text.index("JP-", text.index("My order is")) :][: len(ORDER)]


async def measure_viewers(base: str) -> None:
    """The overview, asked for by viewers at once, each holding a stream of live events."""
    limits = httpx.Limits(max_connections=3 * VIEWERS)
    async with httpx.AsyncClient(base_url=base, timeout=120, limits=limits) as client:

        async def listen() -> None:
            async with client.stream("GET", "/api/v1/events") as answer:
                async for _ in answer.aiter_lines():
                    pass

        async def look() -> list[float]:
            taken = []
            for _ in range(5):
                begin = time.perf_counter()
                (await client.get("/")).raise_for_status()
                taken.append(1e3 * (time.perf_counter() - begin))
                await asyncio.sleep(5)
            return taken

        streams = [asyncio.create_task(listen()) for _ in range(VIEWERS)]
        await asyncio.sleep(1)
        found = await asyncio.gather(*(look() for _ in range(VIEWERS)))
        say(f"overview, {VIEWERS} viewers at once, every 5 s", [value for taken in found for value in taken], "")
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)


def say(name: str, taken: list[float], more: str) -> None:
    """One line."""
    high = statistics.quantiles(taken, n=20)[-1]
    figures = f"least {min(taken):5.0f} ms   p50 {statistics.median(taken):5.0f} ms   p95 {high:5.0f} ms   n {len(taken)}"
    print(f"{name:<44} {figures}   {more}", flush=True)


def free_port() -> int:
    """A port on the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
