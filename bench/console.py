"""How fast pages and searches answer with much behind them: `python -m bench.console [--calls 1000000] [--incidents 1000]`.

Fills a store with real scored calls over a day, multiplied under other ids, and a ledger with incidents; serves API and console
in a process of its own; asks for each page and search one after the other, and then for the overview as 50 viewers who hold a
live stream each.
Prints milliseconds: median and 95th percentile.
"""

import argparse
import asyncio
import multiprocessing
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
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

_MULTIPLY = """
INSERT INTO calls SELECT * EXCEPT (n) REPLACE (
    concat(substring(trace_id, 1, 24), lower(hex(toUInt32(n)))) AS trace_id,
    start_ns - toInt64(n) * {step:Int64} AS start_ns, end_ns - toInt64(n) * {step:Int64} AS end_ns
) FROM (SELECT *, arrayJoin(range(1, {copies:UInt64} + 1)) AS n FROM calls)
"""


def main() -> None:
    """Fills, serves, measures, prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--incidents", type=int, default=1_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        folder = Path(name)
        begin = time.perf_counter()
        trace_id = fill(folder, asked.calls, asked.incidents)
        print(f"filled in {time.perf_counter() - begin:.0f} s")
        context = multiprocessing.get_context("spawn")
        ready, port = context.Event(), free_port()
        process = context.Process(target=serve, args=(folder, port, ready), daemon=True)
        process.start()
        if not ready.wait(120):
            raise TimeoutError("the server did not start")
        try:
            measure(f"http://127.0.0.1:{port}", trace_id)
            asyncio.run(measure_viewers(f"http://127.0.0.1:{port}"))
        finally:
            print(f"server {'is up' if process.is_alive() else f'ended with {process.exitcode}'}", flush=True)
            process.terminate()
            process.join(10)


def fill(folder: Path, calls: int, incidents: int) -> str:
    """Makes the stores; returns the id of a trace in them."""
    now = SystemClock().now_ns()
    with TelemetryStore(f"chdb://{folder}/telemetry") as telemetry, Ledger(f"sqlite:///{folder}/ledger.sqlite") as ledger:
        traces = list(templates(now))
        telemetry.append(Scoring(SCORERS).score(traces))
        have = telemetry.count()
        copies = max(calls // have - 1, 1)
        telemetry._connection.command(_MULTIPLY, {"step": DAY_NS // copies, "copies": copies})
        print(f"{telemetry.count():,} calls of {', '.join(telemetry.services())}")
        for begin in range(0, incidents, 50):
            ledger.append(
                [event for n in range(begin, min(begin + 50, incidents)) for event in incident(n, now, traces[n % len(traces)])]
            )
    return traces[0].trace_id


def templates(now: int) -> Iterator[Trace]:
    """Traces of a drill, moved so that the last one ends now."""
    scenario = Scenario(fault="grounding_rule_dropped", calls=TEMPLATE_TRACES, hours=0.2, fault_at=0.5)
    played = [Trace(steps.calls[0].trace_id, steps.calls) for steps in play(prepare(scenario))]
    shift = now - max(trace.end_ns for trace in played) - NS_PER_S
    for trace in played:
        moved = [replace(c, start_ns=c.start_ns + shift, end_ns=c.end_ns + shift) for c in trace.calls]
        yield Trace(trace.trace_id, tuple(moved))


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


def serve(folder: Path, port: int, ready: Event) -> None:
    """API and console until the process is ended."""
    clock = SystemClock()
    telemetry, ledger = TelemetryStore(f"chdb://{folder}/telemetry"), Ledger(f"sqlite:///{folder}/ledger.sqlite")
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


def paths(trace_id: str) -> dict[str, str]:
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
        "search rare text": "/api/v1/calls?text=zzzyx&limit=10",
        "trace tree": f"/api/v1/traces/{trace_id}",
    }


def measure(base: str, trace_id: str) -> None:
    """Each path on its own, one request after the other."""
    with httpx.Client(base_url=base, timeout=120) as client:
        for _ in range(600):
            try:
                client.get("/healthz")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        for name, path in paths(trace_id).items():
            client.get(path).raise_for_status()
            taken = []
            for _ in range(ROUNDS):
                begin = time.perf_counter()
                client.get(path).raise_for_status()
                taken.append(1e3 * (time.perf_counter() - begin))
            say(name, taken)


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
        say(f"overview, {VIEWERS} viewers at once, every 5 s", [value for taken in found for value in taken])
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)


def say(name: str, taken: list[float]) -> None:
    """One line."""
    high = statistics.quantiles(taken, n=20)[-1]
    print(f"{name:<44} p50 {statistics.median(taken):7.0f} ms   p95 {high:7.0f} ms   n {len(taken)}", flush=True)


def free_port() -> int:
    """A port on the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
