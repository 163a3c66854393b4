"""Scores without text: seeded traffic of an application as scripts in time, for detection, correlation and their bench."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from holdfast.core.call import Call, Dimensions
from holdfast.core.clock import NS_PER_S
from holdfast.core.score import Direction, Failed, Family, Metric, Score, Unit
from holdfast.core.trace import ScoredTrace, Trace

START_NS = 1_790_000_000 * NS_PER_S


def metric(name: str, **changes: object) -> Metric:
    given: dict[str, object] = {
        "name": name,
        "family": Family.QUALITY,
        "unit": Unit.PROBABILITY,
        "direction": Direction.UP_IS_WORSE,
        "failure_mode": name,
        "description": name,
        "harm": 2,
    }
    return Metric(**{**given, **changes})  # type: ignore[arg-type]


METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        metric("ungrounded_answer", failure_mode="hallucination"),
        metric("refusal", harm=1),
        metric("format_violation"),
        metric("prompt_injection", family=Family.SAFETY, harm=3),
        metric("relevance", direction=Direction.DOWN_IS_WORSE),
        metric("canary", family=Family.SAFETY, hard=True, harm=3),
        metric("error", family=Family.OPERATIONS),
        metric("latency", family=Family.OPERATIONS, unit=Unit.MILLISECONDS, harm=1),
        metric("tokens", family=Family.OPERATIONS, unit=Unit.TOKENS, direction=Direction.BOTH, harm=0),
        metric("novelty", direction=Direction.INFORMATION),
        metric("question_kind", family=Family.OPERATIONS, unit=Unit.COUNT, direction=Direction.INFORMATION, harm=0),
    )
}

RATES: dict[str, float] = {
    "ungrounded_answer": 0.04,
    "refusal": 0.03,
    "format_violation": 0.01,
    "prompt_injection": 0.005,
    "relevance": 0.92,
    "canary": 0.0,
    "error": 0.01,
    "latency": 800.0,
    "tokens": 400.0,
    "novelty": 0.2,
}


@dataclass(frozen=True)
class Fault:
    """From `start_s` to `end_s`, in the calls that carry all values of `where`, a metric's mean is `to` instead.

    `ramp_s` seconds pass until the full effect; `share` of those calls are hit.
    """

    start_s: float
    metric: str
    to: float
    where: Mapping[str, str] = field(default_factory=dict)
    end_s: float = float("inf")
    ramp_s: float = 0.0
    share: float = 1.0

    def mean(self, before: float, t: float, dimensions: Dimensions) -> float:
        if not self.start_s <= t < self.end_s or any(v not in dimensions.get(d, ()) for d, v in self.where.items()):
            return before
        done = 1.0 if self.ramp_s <= 0 else min((t - self.start_s) / self.ramp_s, 1.0)
        return before + (self.to - before) * done


@dataclass(frozen=True)
class Script:
    """One application's traffic: traces a second at time t, for `seconds`; who calls; which version is deployed when.

    `start_s` shifts all of it.
    """

    seconds: float
    rate: float = 0.5
    start_s: float = 0.0
    service: str = "support"
    seed: int = 1
    faults: Sequence[Fault] = ()
    versions: Sequence[tuple[float, str]] = ((0.0, "v1"),)
    version_share: float = 1.0
    seasonal: float = 0.0
    noise: float = 0.0
    surge: tuple[float, float, float] = (0.0, 0.0, 1.0)
    dead: tuple[float, float] = (float("inf"), float("inf"))
    scorer_version: Sequence[tuple[float, str]] = ((0.0, "1"),)
    scale: Callable[[str, float, float], float] = lambda name, t, value: value
    metrics: Mapping[str, float] = field(default_factory=lambda: RATES)
    routes: Mapping[str, float] = field(default_factory=lambda: {"/chat": 0.7, "/search": 0.3})
    route_shift: tuple[float, Mapping[str, float]] = (float("inf"), {})
    route_effect: Mapping[str, float] = field(default_factory=dict)


def traffic(script: Script) -> list[ScoredTrace]:
    """The traces of a script, in order of time."""
    rng = np.random.default_rng(script.seed)
    times, t = [], 0.0
    peak = script.rate * max(script.surge[2], 1.0)
    while True:
        t += float(rng.exponential(1 / peak))
        if t >= script.seconds:
            break
        here = script.rate * (script.surge[2] if script.surge[0] <= t < script.surge[1] else 1.0)
        if rng.random() < here / peak:
            times.append(t)
    hours = int(script.seconds // 3600) + 2
    drift, level = np.zeros(hours), 0.0
    for hour in range(hours):
        level = 0.7 * level + script.noise * float(np.sqrt(1 - 0.49)) * float(rng.standard_normal())
        drift[hour] = level
    return [_trace(script, rng, i, t, float(np.exp(drift[int(t // 3600)]))) for i, t in enumerate(times)]


def _choice(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    at = rng.random() * sum(shares.values())
    *values, last = shares
    for value in values:
        at -= shares[value]
        if at <= 0:
            return value
    return last


def _at(points: Sequence[tuple[float, str]], t: float) -> str:
    return next(value for since, value in reversed(points) if t >= since)


def _trace(script: Script, rng: np.random.Generator, number: int, t: float, noise: float) -> ScoredTrace:
    trace_id, span_id = f"{script.seed:08x}{abs(hash_of(script.service)):08x}{number:016x}", f"{number + 1:016x}"
    version = _at(script.versions, t) if rng.random() < script.version_share else script.versions[0][1]
    dimensions: Dimensions = {
        "service.name": (script.service,),
        "route": (_choice(rng, script.route_shift[1] if t >= script.route_shift[0] else script.routes),),
        "prompt.version": (version,),
        "model": ("large-1",),
        "tenant": (_choice(rng, {"acme": 0.5, "globex": 0.3, "initech": 0.2}),),
        "region": (_choice(rng, {"eu": 0.5, "us": 0.5}),),
        "language": (_choice(rng, {"en": 0.8, "de": 0.2}),),
        "user": (f"u{int(rng.integers(400))}",),
    }
    end = START_NS + int((script.start_s + t) * NS_PER_S)
    call = Call(trace_id=trace_id, span_id=span_id, start_ns=end - 10**9, end_ns=end, dimensions=dimensions)
    failed = script.dead[0] <= t < script.dead[1]
    season = 1 + script.seasonal * float(np.sin(2 * np.pi * t / 86_400))
    scores = tuple(
        Score(
            trace_id=trace_id,
            span_id=span_id,
            metric=name,
            value=_value(script, rng, name, _moved(METRICS[name], mean, season * noise), t, dimensions),
            scorer="lexical" if METRICS[name].family is Family.QUALITY else "counters",
            version=_at(script.scorer_version, t) if METRICS[name].family is Family.QUALITY else "1",
        )
        for name, mean in script.metrics.items()
        if not (failed and METRICS[name].family is Family.QUALITY)
    )
    failures = (Failed(trace_id=trace_id, span_id=span_id, scorer="lexical", version="1", error_type="OSError", message="gone"),)
    return ScoredTrace(Trace(trace_id, (call,)), scores, failures if failed else ())


def _moved(of: Metric, mean: float, factor: float) -> float:
    if of.unit is not Unit.PROBABILITY:
        return mean
    if of.direction is Direction.DOWN_IS_WORSE:
        return max(1 - (1 - mean) * factor, 0.05)
    return min(mean * factor, 0.95)


def hash_of(text: str) -> int:
    return zlib.crc32(text.encode())


def _value(script: Script, rng: np.random.Generator, name: str, mean: float, t: float, dimensions: Dimensions) -> float:
    if METRICS[name].unit is Unit.PROBABILITY and METRICS[name].direction is Direction.UP_IS_WORSE:
        mean *= script.route_effect.get(dimensions["route"][0], 1.0)
    for fault in script.faults:
        if fault.metric == name and (fault.share >= 1.0 or rng.random() < fault.share):
            mean = fault.mean(mean, t, dimensions)
    if METRICS[name].unit is not Unit.PROBABILITY:
        value = mean * float(np.exp(0.6 * rng.standard_normal()))
    elif name == "relevance":
        value = float(rng.beta(20 * mean, 20 * (1 - mean)))
    else:
        value = float(rng.random() < min(mean, 1.0))
    return script.scale(name, t, value)
