"""Small applications in scores only, whose truth is plain, for the tests of the diagnosis."""

from collections.abc import Callable, Sequence

import numpy as np

from holdfast.core.call import Dimensions
from holdfast.core.change import Change
from holdfast.core.incident import Incident, Severity, State, Timestamp
from holdfast.core.observations import Observations
from holdfast.core.score import Direction, Family, Metric, Unit
from holdfast.core.signal import Segment, Signal
from holdfast.diagnose.frame import Frame

SERVICE = "shop"
START = 1_700_000_000_000_000_000
MINUTE = 60_000_000_000
HOUR = 60 * MINUTE
ONSET = START + 10 * HOUR
END = START + 16 * HOUR
CALLS = 3200

AMOUNTS = {"latency": Unit.MILLISECONDS, "cost": Unit.USD, "input_tokens": Unit.TOKENS, "retrieval_score": Unit.SIMILARITY}
RATES = (
    "ungrounded_answer",
    "unsupported_numbers",
    "refusal",
    "truncation",
    "format_violation",
    "tool_error",
    "prompt_injection",
    "retrieval_dissimilarity",
    "document_injection",
    "answer_altered",
    "error",
    "negative_feedback",
    "guardrail_block",
)


def metric(name: str) -> Metric:
    amount = name in AMOUNTS
    return Metric(
        name=name,
        family=Family.QUALITY,
        unit=AMOUNTS.get(name, Unit.PROBABILITY),
        direction=Direction.BOTH if amount else Direction.UP_IS_WORSE,
        failure_mode=name,
        description=name,
    )


METRICS = {name: metric(name) for name in (*RATES, *AMOUNTS)}

Hurt = Callable[[Dimensions], bool]


class Shop:
    """3,200 calls over 16 hours; from hour ten on what `break_` says happens."""

    def __init__(self, seed: int = 1, calls: int = CALLS) -> None:
        self.random = np.random.default_rng(seed)
        self.time_ns = START + (np.arange(calls) * ((END - START) // calls)).astype(np.int64)
        self.late = self.time_ns >= ONSET
        pick = self.random.choice
        self.dimensions: list[Dimensions] = []
        for _ in range(calls):
            route = str(pick(["/chat", "/search", "/refund"]))
            self.dimensions.append(
                {
                    "service.name": (SERVICE,),
                    "route": (route,),
                    "prompt.version": (f"{route[1:]}-v1",),
                    "model": ("large" if route != "/search" else "small",),
                    "tenant": (str(pick(["acme", "beta", "cade"], p=[0.6, 0.3, 0.1])),),
                    "region": (str(pick(["eu", "us"])),),
                    "document.source": tuple(str(s) for s in pick(["faq", "manual", "blog", "terms"], 2, replace=False)),
                }
            )
        uniform = self.random.random
        self.values = {m: np.where(uniform(calls) < 0.03, 0.9, 0.03) for m in RATES}
        self.values |= {m: 100.0 * np.exp(self.random.normal(0, 0.4, calls)) for m in AMOUNTS}
        self.kept = {m: np.ones(calls, dtype=np.bool_) for m in self.values}

    def upgrade(self, dimension: str, old: str, new: str, share: float = 1.0) -> "Shop":
        """From onset on calls carry a new value."""
        for i in np.flatnonzero(self.late).tolist():
            if self.dimensions[i].get(dimension) == (old,) and self.random.random() < share:
                self.dimensions[i] = {**self.dimensions[i], dimension: (new,)}
        return self

    def spread_over(self, dimension: str, values: Sequence[str], hold: Hurt = lambda d: True) -> "Shop":
        """All calls that `hold` picks carry one of these values, drawn evenly."""
        for i, own in enumerate(self.dimensions):
            if hold(own):
                self.dimensions[i] = {**own, dimension: (str(self.random.choice(list(values))),)}
        return self

    def arrive(self, dimension: str, value: str, share: float = 0.3) -> "Shop":
        """From onset on a share of the calls carries a value that nobody had before."""
        for i in np.flatnonzero(self.late & (self.random.random(len(self.dimensions)) < share)).tolist():
            self.dimensions[i] = {**self.dimensions[i], dimension: (value,)}
        return self

    def break_(self, metrics: Sequence[str], hurt: Hurt = lambda d: True, share: float = 0.6) -> "Shop":
        """From onset on a share of the calls that `hurt` picks fail in these metrics."""
        chosen = self.late & np.array([hurt(d) for d in self.dimensions]) & (self.random.random(len(self.dimensions)) < share)
        for name in metrics:
            self.values[name] = np.where(chosen, 0.9, self.values[name])
        return self

    def scale(self, name: str, factor: float, hurt: Hurt = lambda d: True) -> "Shop":
        """From onset on an amount is multiplied."""
        chosen = self.late & np.array([hurt(d) for d in self.dimensions])
        self.values[name] = np.where(chosen, self.values[name] * factor, self.values[name])
        return self

    def silence(self, name: str) -> "Shop":
        """From onset on a metric is not scored any more."""
        self.kept[name] = ~self.late
        return self

    def observations(self) -> dict[str, Observations]:
        found = {}
        for name, values in self.values.items():
            rows = np.flatnonzero(self.kept[name])
            found[name] = Observations.of(
                metric=name,
                time_ns=self.time_ns[rows],
                value=values[rows],
                trace_id=[f"{i:032x}" for i in rows],
                span_id=[f"{i:016x}" for i in rows],
                dimensions=[self.dimensions[i] for i in rows],
            )
        return found

    def frame(self, onset_ns: int = ONSET) -> Frame:
        return Frame(self.observations(), onset_ns)

    def telemetry(self, *changes: Change) -> "ShopTelemetry":
        return ShopTelemetry(self.observations(), changes)


class ShopTelemetry:
    """Answers of the telemetry store for one application."""

    def __init__(self, columns: dict[str, Observations], changes: Sequence[Change] = ()) -> None:
        self.columns = columns
        self.told = sorted(changes, key=lambda c: c.time_ns)

    def observations(self, service: str, metrics: Sequence[str], start_ns: int, end_ns: int) -> dict[str, Observations]:
        nothing = np.zeros(0, dtype=np.int64)
        empty = Observations.of(metric="", time_ns=nothing, value=np.zeros(0), trace_id=[], span_id=[], dimensions=[])
        known = self.columns if service == SERVICE else {}
        return {m: known.get(m, empty).between(start_ns, end_ns) for m in metrics}

    def changes(self, start_ns: int, end_ns: int) -> list[Change]:
        return [c for c in self.told if start_ns <= c.time_ns < end_ns]


def signal(name: str, segment: Segment | None = None, observed: float = 0.5, onset_ns: int = ONSET) -> Signal:
    return Signal(
        id=name,
        detector="test",
        metric=name,
        segment=segment or Segment(SERVICE),
        onset_ns=onset_ns,
        detected_ns=onset_ns + HOUR,
        baseline=0.05,
        observed=observed,
        log_evidence=20.0,
        threshold=8.0,
        calls=100,
        bad=50.0,
        budget=0.1,
    )


def incident(*signals: Signal) -> Incident:
    started, detected = (Timestamp(ns=ns, actor="detect") for ns in (ONSET, ONSET + HOUR))
    return Incident(
        id="inc_1",
        service=SERVICE,
        title="",
        state=State.OPEN,
        severity=Severity.SEV2,
        timestamps={"started": started, "detected": detected},
        signals=signals,
    )
