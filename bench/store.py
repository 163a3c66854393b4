"""What the stores cost: ``python -m bench.store [--calls N]``. Prints one JSON line per figure."""

import argparse
import json
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.core.call import Call, Evaluation, EvaluationRecord, Kind, Message
from holdfast.core.events import CommentAdded, IncidentOpened, Recorded
from holdfast.core.incident import Severity
from holdfast.core.score import Score
from holdfast.core.signal import Segment
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.ledger.store import Ledger
from holdfast.telemetry.store import TelemetryStore
from holdfast.testing.postgres import postgres

BATCH = 2_000
CALLS_A_TRACE = 4
SCORES = 20
METRICS = [f"metric_{i}" for i in range(SCORES)]
START_NS = 1_800_000_000_000_000_000
GAP_NS = 1_000_000
"""One call a millisecond."""


def calls(first: int, random_: random.Random, words: list[str]) -> ScoredTrace:
    """One trace of `CALLS_A_TRACE` model calls with `SCORES` scores each, about 2.3 kB a call."""
    trace_id = f"{random_.getrandbits(128):032x}"
    made = []
    for i in range(first, first + CALLS_A_TRACE):
        text = " ".join(random_.choices(words, k=120))
        made.append(
            Call(
                trace_id=trace_id,
                span_id=f"{random_.getrandbits(64):016x}",
                name="chat",
                kind=Kind.LLM,
                start_ns=START_NS + i * GAP_NS,
                end_ns=START_NS + i * GAP_NS + 800_000_000,
                response_model="sample-model",
                response_id=f"resp-{i}",
                dimensions={
                    "service.name": ("support",),
                    "route": (f"/r{i % 5}",),
                    "model": ("sample-model",),
                    "tenant": (f"t{i % 50}",),
                    "user": (f"u{i % 5000}",),
                    "region": ("eu",),
                    "language": ("en",),
                    "prompt.version": ("v1",),
                },
                input_messages=(Message("user", text[:400]),),
                output_messages=(Message("assistant", text[400:]),),
                attributes={"gen_ai.request.model": "sample-model", "gen_ai.input.messages": text[:400]},
            )
        )
    scores = tuple(
        Score(trace_id=trace_id, span_id=c.span_id, metric=m, value=random_.random(), scorer=m, version="1", why="as seen")
        for c in made
        for m in METRICS
    )
    return ScoredTrace(Trace(trace_id, tuple(made)), scores)


def say(figure: str, **values: object) -> None:
    """One figure."""
    print(json.dumps({"figure": figure, **values}), flush=True)


def memory_mb() -> int:
    """The most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@contextmanager
def timed(figure: str, **values: object) -> Iterator[None]:
    """Says how long the block took."""
    begin = time.perf_counter()
    yield
    say(figure, milliseconds=round((time.perf_counter() - begin) * 1000, 1), **values)


def best(figure: str, question: Callable[[], object], **values: object) -> None:
    """Says how long a question took, best and worst of three."""
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        question()
        times.append(time.perf_counter() - begin)
    say(figure, milliseconds=round(min(times) * 1000, 1), worst=round(max(times) * 1000, 1), **values)


def append_calls(store: TelemetryStore, total: int) -> list[ScoredTrace]:
    """Appends `total` calls and returns the last batch."""
    random_ = random.Random(7)
    words = [f"{random_.getrandbits(32):08x}" for _ in range(5_000)]
    spent, batch = 0.0, list[ScoredTrace]()
    for begin in range(0, total, BATCH):
        batch = [calls(i, random_, words) for i in range(begin, min(begin + BATCH, total), CALLS_A_TRACE)]
        at = time.perf_counter()
        store.append(batch)
        spent += time.perf_counter() - at
        done = begin + BATCH
        if done in (10_000, 100_000, 1_000_000) or done >= total:
            say("append", calls=done, calls_per_second=round(done / spent), memory_mb=memory_mb())
    return batch


def telemetry(total: int) -> None:
    """Figures of the telemetry store on chDB."""
    with tempfile.TemporaryDirectory() as directory, TelemetryStore(f"chdb://{directory}/telemetry") as store:
        last = append_calls(store, total)
        best("append again (all known)", lambda: store.append(last), calls=sum(len(s.trace.calls) for s in last))
        window = (START_NS, START_NS + 30_000 * GAP_NS + 800_000_000)
        best("observations, 1 metric, 30k rows", lambda: store.observations("support", METRICS[:1], *window))
        best("observations, 20 metrics, 600k rows", lambda: store.observations("support", METRICS, *window))
        everything = (START_NS, START_NS + 2 * total * GAP_NS + 10**9)
        best("count, exact", lambda: store.count("support", *everything))
        best("coverage", lambda: store.coverage(*everything))
        segment = Segment("support", "route", "/r1")
        best(
            "series of a segment, 100 steps", lambda: store.metric_series(segment, "metric_3", *everything, total * GAP_NS // 100)
        )
        trace = last[0].trace
        late = EvaluationRecord(time_ns=0, evaluation=Evaluation("relevance"), response_id=trace.calls[0].response_id)
        best("one trace", lambda: store.trace(trace.trace_id))
        best("call by response id", lambda: store.call_of(late))
        size = sum(f.stat().st_size for f in Path(directory).rglob("*") if f.is_file())
        say("size", bytes_per_call=round(size / total), memory_mb=memory_mb())


def ledger(url: str, kind: str) -> None:
    """Figures of the ledger at `url`."""
    opened = IncidentOpened(service="s", title="t", severity=Severity.SEV3, started_ns=1, detected_ns=2)
    with Ledger(url) as book:
        book.append([Recorded(incident_id=f"inc_{i}", time_ns=1, actor="bench", event=opened) for i in range(100)])
        with timed("200 appends, one event each", store=kind):
            for i in range(200):
                book.append(
                    [Recorded(incident_id=f"inc_{i % 100}", time_ns=i, actor="bench", event=CommentAdded(text="x" * 200))]
                )
        book.append(
            [
                Recorded(incident_id=f"inc_{i % 100}", time_ns=i, actor="bench", event=CommentAdded(text="x" * 200))
                for i in range(9_700)
            ]
        )
        with timed("verify 10k events", store=kind):
            assert book.verify().ok


def main() -> None:
    """Prints all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    telemetry(parser.parse_args().calls)
    with tempfile.TemporaryDirectory() as directory:
        ledger(f"sqlite:///{directory}/ledger.db", "sqlite")
    with postgres() as cluster, cluster.database() as url:
        ledger(url, "postgresql")


if __name__ == "__main__":
    main()
