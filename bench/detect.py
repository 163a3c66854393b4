"""What detection costs, how often it is wrong, and how fast it is right. Run: ``python -m bench.detect [--days N] [--runs N]``.

Speed: traces a second of processor time of one core, scores only, with 1 and with 20 metrics on one call, and with 20 over three
calls, in large portions and in live ones of 64; the target is 100,000 scored calls. The fastest of several runs, for other work
on the machine slows them. And memory over a file.
False alarms: failures a day on healthy simulated days, plain, with hourly noise, with a daily season, with both; and burn-rate
signals where a promise is just kept.
Delay: affected calls from the start of a fault to the first failure signal of its metric, median and 90 %, and the share missed.
Beside it, where scores are flags, what no method can undercut in the mean as alarms become rare, even one that knows both rates:
ln(calls between two false alarms) ÷ Kullback-Leibler divergence of a sick call from a healthy one (Lorden 1971, "Procedures for
reacting to a change in distribution"), at the threshold of the stream that alarmed. A new version's streams begin with evidence
that is paid from another part of the budget, and so may need less.
"""

import argparse
import gc
import math
import multiprocessing
import os
import time
import tracemalloc
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from holdfast.core.events import Recorded, apply
from holdfast.core.incident import ACTIVE, Incident
from holdfast.core.score import Metric
from holdfast.core.signal import Signal, Verdict
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.correlate.correlator import Correlator
from holdfast.detect.detection import Detection
from holdfast.detect.objective import Objective
from holdfast.detect.policy import DetectPolicy
from tests.detect.simulation import METRICS, RATES, START_NS, Fault, Script, metric, traffic

BATCH = 512
SHAPES = ((1, 1), (20, 1), (20, 3))
"""Metrics of a trace, and calls that they are told of."""
DAY_S = 86_400.0

HEALTHY: dict[str, dict[str, float]] = {
    "plain": {},
    "hourly noise, sd 0.2": {"noise": 0.2},
    "daily season, ±30 %": {"seasonal": 0.3},
    "both": {"noise": 0.2, "seasonal": 0.3},
    "noise, season ±50 %": {"noise": 0.2, "seasonal": 0.5},
}

BURNING = ((0.01, 0.0), (0.02, 0.0), (0.02, 0.3), (0.03, 0.3))
"""Shares of bad calls, and hourly noise: half of what is allowed, all of it, half as much again."""

FAULTS: dict[str, tuple[dict[str, float], dict[str, object]]] = {
    "2 % → 6 %": ({"ungrounded_answer": 0.02}, {"to": 0.06}),
    "4 % → 12 %": ({"ungrounded_answer": 0.04}, {"to": 0.12}),
    "6 % → 18 %": ({"ungrounded_answer": 0.06}, {"to": 0.18}),
    "4 % → 20 %": ({"ungrounded_answer": 0.04}, {"to": 0.20}),
    "4 % → 40 %": ({"ungrounded_answer": 0.04}, {"to": 0.40}),
    "4 % → 12 %, new prompt version": ({"ungrounded_answer": 0.04}, {"to": 0.12, "where": {"prompt.version": "v2"}}),
    "4 % → 20 %, new prompt version": ({"ungrounded_answer": 0.04}, {"to": 0.20, "where": {"prompt.version": "v2"}}),
    "4 % → 20 %, one route of two": ({"ungrounded_answer": 0.04}, {"to": 0.20, "where": {"route": "/search"}}),
    "4 % → 20 %, one language, 20 %": ({"ungrounded_answer": 0.04}, {"to": 0.20, "where": {"language": "de"}}),
    "latency × 3": ({}, {"metric": "latency", "to": 2400.0}),
    "graded 0.92 → 0.80": ({}, {"metric": "relevance", "to": 0.80}),
    "graded 0.92 → 0.55 in 12 % of calls": ({}, {"metric": "relevance", "to": 0.55, "share": 0.12}),
}


def detected(script: Script, metrics: Mapping[str, Metric] = METRICS) -> tuple[list[Signal], list[Incident], Detection]:
    """All signals and incidents of a script."""
    detection, correlator = Detection(metrics), Correlator(metrics)
    signals, incidents, traces = list[Signal](), dict[str, Incident](), traffic(script)
    for at in range(0, len(traces), BATCH):
        found = detection.observe(traces[at : at + BATCH])
        signals += [s for s in found if isinstance(s, Signal)]
        now_ns = traces[min(at + BATCH, len(traces)) - 1].trace.end_ns
        events: list[Recorded] = correlator.correlate(found, [i for i in incidents.values() if i.state in ACTIVE], now_ns)
        for recorded in events:
            incidents[recorded.incident_id] = apply(incidents.get(recorded.incident_id), recorded)
    return signals, list(incidents.values()), detection


def healthy(arguments: tuple[int, dict[str, float], float]) -> tuple[float, ...]:
    """Failure signals, incidents, and what was spent of the budget: in the first day, and in each later one."""
    seed, world, days = arguments
    signals, incidents, detection = detected(Script(seconds=days * DAY_S, rate=0.06, seed=seed, **world))  # type: ignore[arg-type]
    spent = detection.budget_spent().spent
    return sum(s.verdict is Verdict.FAILURE for s in signals), len(incidents), spent.first_day, spent.later / (days - 1)


def burning(arguments: tuple[int, float, float, float]) -> tuple[int, int]:
    """Burn-rate signals, failures and anomalies, in `days` days at a share of bad calls that an objective of 98 % just allows."""
    seed, bad, noise, days = arguments
    objective = Objective(name="answers", metric="error", share=0.98)
    detection = Detection({"error": METRICS["error"]}, DetectPolicy(objectives=(objective,)))
    traces = traffic(Script(seconds=days * DAY_S, rate=0.06, seed=seed, metrics={"error": bad}, noise=noise))
    found = [
        e for at in range(0, len(traces), BATCH) for e in detection.observe(traces[at : at + BATCH]) if isinstance(e, Signal)
    ]
    verdicts = Counter(signal.verdict for signal in found if signal.detector == "burn_rate")
    return verdicts[Verdict.FAILURE], verdicts[Verdict.ANOMALY]


def delay(arguments: tuple[int, str]) -> tuple[float, int, float]:
    """Affected calls until the first failure signal on the fault's metric (inf: missed), incidents opened before, and threshold.

    The latter in nats, of that signal; NaN where it was missed.
    """
    seed, name = arguments
    rates, given = FAULTS[name]
    fault = Fault(start_s=6 * 3600.0, **{"metric": "ungrounded_answer", **given})  # type: ignore[arg-type]
    versions = ((0.0, "v1"), (fault.start_s, "v2")) if "prompt.version" in fault.where else ((0.0, "v1"),)
    script = Script(
        seconds=20 * 3600.0, rate=0.06, seed=seed, metrics={**RATES, **rates}, versions=versions, faults=[fault], noise=0.1
    )
    signals, incidents, _ = detected(script)
    start_ns = START_NS + int(fault.start_s * 1e9)
    early = sum(i.detected_ns < start_ns for i in incidents)
    failures = [s for s in signals if s.metric == fault.metric and s.verdict is Verdict.FAILURE]
    alarm, threshold = min(((s.detected_ns, s.threshold) for s in failures), default=(0, math.nan))
    if alarm < start_ns:
        return float("inf"), early, math.nan
    affected = [
        t.trace.end_ns
        for t in traffic(script)
        if t.trace.end_ns >= start_ns and all(v in t.trace.dimensions[d] for d, v in fault.where.items())
    ]
    return float(np.searchsorted(affected, alarm) + 1), early, threshold


def information(name: str) -> float:
    """Nats that a sick call tells against a healthy one, where both are flags; NaN elsewhere."""
    rates, given = FAULTS[name]
    healthy, sick = rates.get("ungrounded_answer", math.nan), float(str(given["to"]))
    return sick * math.log(sick / healthy) + (1 - sick) * math.log((1 - sick) / (1 - healthy)) if rates else math.nan


def speed(traces: int, shape: tuple[int, int], portions: Sequence[int]) -> list[float]:
    """Traces a second of processor time with so many metrics over so many calls each, by size of portions: the best of seven."""
    count, calls = shape
    metrics = {f"m{i:02d}": metric(f"m{i:02d}") for i in range(count)}
    METRICS.update(metrics)
    data = traffic(Script(seconds=traces / 2.0, rate=2.0, metrics=dict.fromkeys(metrics, 0.03)))
    data = [_over(calls, one) for one in data] if calls > 1 else data
    return [max(_replayed(metrics, data, portion) for _ in range(7)) for portion in portions]


def _over(calls: int, scored: ScoredTrace) -> ScoredTrace:
    """The same with its scores told of so many calls: the root, and tools under it."""
    root = scored.trace.root
    tools = [
        msgspec.structs.replace(
            root, span_id=f"{at:016x}", parent_span_id=root.span_id, dimensions={**root.dimensions, "tool": (f"t{at}",)}
        )
        for at in range(1, calls)
    ]
    every = (root, *tools)
    scores = [msgspec.structs.replace(score, span_id=every[i % calls].span_id) for i, score in enumerate(scored.scores)]
    return ScoredTrace(Trace(scored.trace.trace_id, every), tuple(scores))


def _replayed(metrics: Mapping[str, Metric], data: Sequence[ScoredTrace], portion: int) -> float:
    detection = Detection(metrics)
    began = time.process_time()
    for at in range(0, len(data), portion):
        detection.observe(data[at : at + portion])
    return len(data) / (time.process_time() - began)


def memory(traces: int, steps: int) -> list[float]:
    """MiB that detection holds after each, of equal parts of a file of 0.5 traces a second."""
    detection, per = Detection(METRICS), traces // steps
    held = list[float]()
    tracemalloc.start()
    for step in range(steps):
        data = traffic(Script(seconds=per * 2.0, seed=step + 1, start_s=step * per * 2.0))
        for at in range(0, len(data), BATCH):
            detection.observe(data[at : at + BATCH])
        del data
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0] / 2**20)
    tracemalloc.stop()
    return held


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=40, help="healthy days per world")
    parser.add_argument("--runs", type=int, default=20, help="runs per fault")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for count, over in SHAPES:
        bulk, live = speed(12_000, (count, over), (2048, 64))
        print(f"speed, {count} metrics over {over} calls: {bulk:,.0f} traces/s = {over * bulk:,.0f} scored calls/s", end=" ")
        print(f"(target 100,000) = {count * bulk:,.0f} scores/s; in portions of 64: {live:,.0f} traces/s")
    print(f"memory: {', '.join(f'{mib:.1f}' for mib in memory(120_000, 6))} MiB held after each 20,000 of 120,000 traces")
    with multiprocessing.Pool(given.workers) as pool:
        print(f"false alarms on {given.days} healthy days per world (target: at most the budget, 0.2 incidents a day):")
        for name, world in HEALTHY.items():
            found = pool.map(healthy, [(seed, world, 2.0) for seed in range(given.days // 2)])
            signals, incidents = (sum(column) / given.days for column in list(zip(*found, strict=True))[:2])
            first, later = (sum(column) / len(found) for column in list(zip(*found, strict=True))[2:])
            print(f"  {name:22s} incidents/day {incidents:.3f}  failure signals/day {signals:.3f}", end="  ")
            print(f"bound of false alarms: first day {first:.2f}, later days {later:.2f}")
        print(f"burn rate of an objective of 98 %, {given.days} days each, failures and anomalies a day:")
        for bad, noise in BURNING:
            counts = pool.map(burning, [(seed, bad, noise, 5.0) for seed in range(given.days // 5)])
            failed, odd = (sum(column) / given.days for column in zip(*counts, strict=True))
            print(f"  {bad:.0%} bad, hourly noise {noise:g}: failures {failed:.3f}  anomalies {odd:.3f}")
        print(f"delay in affected calls, {given.runs} runs each, 1,300 healthy calls before, hourly noise 0.1:")
        for name in FAULTS:
            found_ = pool.map(delay, [(seed, name) for seed in range(100, 100 + given.runs)])
            calls, floor = np.array([d for d, _, _ in found_]), np.nanmean([t for _, _, t in found_]) / information(name)
            missed, early = float(np.mean(~np.isfinite(calls))), Counter(e > 0 for _, e, _ in found_)[True]
            median, late = np.quantile(np.where(np.isfinite(calls), calls, 1e9), [0.5, 0.9], method="higher")
            told = "" if math.isnan(floor) else f"  mean {calls.mean():6.0f}, floor of any method {floor:4.0f}"
            print(
                f"  {name:32s} median {median:6.0f}  p90 {late:6.0f}  missed {missed:.0%}  early incidents in {early} runs{told}"
            )


if __name__ == "__main__":
    main()
