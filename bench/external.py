"""What scorers of the user's cost Holdfast itself: judge and endpoint, new and remembered, sampled out, and with a full queue.

Run: python -m bench.external [traces]
The judge and the endpoint are fakes on loopback, in a process of their own, that answer at once: what is left is our share.
CPU time is that of this process, or of the pipeline's thread where the row says so; the machine may be busy. Waiting: wall time
of one request.
"""

import json
import multiprocessing
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection

from bench.score import document, request
from holdfast.core.clock import SystemClock
from holdfast.core.trace import Trace
from holdfast.score.deferred import DeferredScoring
from holdfast.score.external.build import external_scorers
from holdfast.score.external.scorer import External
from holdfast.score.external.specification import EndpointSpecification, JudgeSpecification
from holdfast.testing.model_server import Reply, ScriptedModelServer
from holdfast.testing.service import Request, Response, ScriptedService

VERDICT = Reply(text=json.dumps({"reason": "it says so", "probability": 0.1}), input_tokens=600, output_tokens=20)
QUEUE = 100
BATCH = 16
UNLIMITED = 1_000_000


def scores(asked: Request) -> Response:
    """One score for each input; to who asks at /hang, nothing ever."""
    return Response(body={"scores": [{"value": 0.1, "why": "so"} for _ in asked.body["inputs"]]}, hang=asked.path == "/hang")


def serve(to: Connection) -> None:
    """Both fakes, until the other end says a word or is gone."""
    with ScriptedModelServer([VERDICT]) as model, ScriptedService(scores) as service:
        to.send((model.url, service.url))
        to.poll(600)


@contextmanager
def fakes() -> Iterator[tuple[str, str]]:
    """URLs of a judge and of an endpoint in another process."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    process.start()
    if not here.poll(60):
        raise SystemExit("the fakes did not start")
    try:
        yield here.recv()
    finally:
        here.send("enough")
        process.join(10)
        if process.is_alive():
            process.kill()


def built(judge_url: str, endpoint_url: str) -> dict[str, External]:
    """A judge and endpoints, made as the configuration makes them."""

    def judge(sample: float) -> JudgeSpecification:
        return JudgeSpecification(
            kind="judge", metric=f"judged_{sample:g}".replace(".", "_"), url=f"{judge_url}/v1", model="small", sample=sample,
            rubric="The answer says what the documents do not.", calls_per_hour=UNLIMITED, queue=UNLIMITED // 10,
        )  # fmt: skip

    found = external_scorers(
        {
            "judge": judge(1.0),
            "sampling_judge": judge(0.01),
            "endpoint": EndpointSpecification(kind="endpoint", metric="rated", url=endpoint_url, batch=BATCH),
            "stuck": EndpointSpecification(kind="endpoint", metric="late", url=f"{endpoint_url}/hang", queue=QUEUE, attempts=1),
        },
        SystemClock(),
        {},
    )
    return {scorer.name: scorer for scorer in found}


def traces(count: int, first: int = 0) -> list[Trace]:
    """Requests with texts of their own."""
    rng = random.Random(first)
    return [request(rng, first + n, [document(rng) for _ in range(3)]) for n in range(count)]


def spent(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Seconds that `work` takes by a clock."""
    began = clock()
    work()
    return clock() - began


def asked(label: str, scorer: External, subjects: Sequence[Trace], batch: int = 1) -> None:
    """Prints what it takes to ask about each trace, on one thread."""
    waited = []

    def work() -> None:
        for at in range(0, len(subjects), batch):
            began = time.perf_counter()
            outcomes = scorer.score_many(subjects[at : at + batch])
            waited.append((time.perf_counter() - began) * 1e3)
            failed = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
            if failed:
                raise SystemExit(f"{label}: {failed[0]!r}")

    cpu = spent(work) / len(subjects) * 1e6
    waited.sort()
    p99 = waited[min(len(waited) - 1, round(0.99 * len(waited)))]
    print(f"{label:52}{cpu:>9.0f} µs CPU a call{statistics.median(waited):>9.2f} ms waiting (p99 {p99:.2f})")


def offered(label: str, scorer: External, subjects: Sequence[Trace]) -> None:
    """Prints what the pipeline's thread pays for handing traces over, and what became of them."""
    deferred = DeferredScoring([scorer])
    cpu = spent(lambda: deferred.submit(subjects), time.thread_time) / len(subjects) * 1e6
    refused = [failure for one in deferred.take() for failure in one.failures if failure.error_type == "QueueFullError"]
    coverage = deferred.coverage[scorer.name]
    deferred.close()
    print(
        f"{label:52}{cpu:>9.1f} µs CPU a trace on the pipeline's thread; of {len(subjects)}: "
        f"{coverage.skipped} not in the sample, {len(refused)} told as not judged"
    )


def together(label: str, scorer: External, subjects: Sequence[Trace]) -> None:
    """Prints how many a second the scorer's own threads get through."""
    deferred = DeferredScoring([scorer], patient=True)
    deferred.submit(subjects)
    began, cpu = time.perf_counter(), time.process_time()
    scored = sum(len(one.scores) > 0 for one in deferred.take())
    wall, used = time.perf_counter() - began, time.process_time() - cpu
    deferred.close()
    print(f"{label:52}{scored / wall:>9.0f} a second, {used / wall:.2f} cores of ours; {scored} of {len(subjects)} scored")


def main(count: int) -> None:
    """Prints all rows."""
    print(f"load average {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores; traces of 2.3 kB, {count} a row")
    with fakes() as urls:
        scorers = built(*urls)
        warm, first = traces(10, first=10 * count), traces(count)
        for scorer in scorers.values():
            if scorer.name != "stuck":
                scorer.score_many(warm)
        asked("judge, texts that it never saw", scorers["judge"], first)
        asked("judge, the same texts again (remembered)", scorers["judge"], first)
        asked(f"endpoint, {BATCH} texts a request", scorers["endpoint"], first, BATCH)
        together("judge, four at a time", scorers["judge"], traces(count, first=count))
        together(f"endpoint, {BATCH} texts a request", scorers["endpoint"], first)
        offered("a judge of one call in a hundred", scorers["sampling_judge"], traces(count, first=2 * count))
        offered("a judge of every call, room in its queue", scorers["judge"], traces(count, first=3 * count))
        offered(f"an endpoint that hangs, {QUEUE} places in its queue", scorers["stuck"], traces(count, first=4 * count))
        for scorer in scorers.values():
            scorer.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
