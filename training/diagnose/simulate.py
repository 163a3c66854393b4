"""Incidents in scores only: applications, traffic and faults with random parameters, without any text.

What a fault does is drawn anew for each incident from the catalogue's expectation, so this checks the machinery (onset, cohort,
changes, posterior) and never the catalogue itself: that is what drills with text are for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdfast.core.call import Dimensions
from holdfast.core.change import Change, ChangeKind
from holdfast.core.clock import NS_PER_S
from holdfast.core.incident import Incident, Severity, State, Timestamp
from holdfast.core.observations import Observations
from holdfast.core.score import Direction, Family, Metric, Unit
from holdfast.core.signal import Segment, Signal
from holdfast.diagnose.catalogue.hypothesis import Hypothesis
from holdfast.diagnose.changes import DIMENSION_OF
from holdfast.diagnose.evidence.composite import Composite
from holdfast.diagnose.evidence.registry import GROUPS

SERVICE = "shop"
HOUR = 3600 * NS_PER_S
START = 1_700_000_000 * NS_PER_S

AMOUNTS = {
    "retrieval_score": (0.7, 0.2),
    "stale_source": (4e5, 0.7),
    "latency": (1500.0, 0.5),
    "model_latency": (1100.0, 0.5),
    "time_to_first_token": (300.0, 0.4),
    "tokens": (900.0, 0.4),
    "input_tokens": (700.0, 0.4),
    "output_tokens": (200.0, 0.4),
    "cost": (0.002, 0.4),
    "answer_length": (60.0, 0.4),
    "steps": (3.0, 0.3),
}
"""Median and sd of the log of metrics that are no probabilities."""

COMPOSITES = {c.name: c for group in GROUPS.values() for c in group if isinstance(c, Composite)}
RATES = sorted({m for c in COMPOSITES.values() for m in (*c.rising, *c.falling)} - set(AMOUNTS))
CHANCE = {"++": 0.93, "+": 0.6, "~": 0.25, "--": 0.93, "-": 0.55, "+-": 0.5}
SHARE = {"++": (0.5, 1.0), "+": (0.2, 0.8), "~": (0.1, 0.4), "--": (0.5, 1.0), "-": (0.2, 0.8), "+-": (0.2, 0.8)}

METRICS = {
    name: Metric(
        name=name,
        family=Family.QUALITY,
        unit=Unit.COUNT if name in AMOUNTS else Unit.PROBABILITY,
        direction=Direction.BOTH if name in AMOUNTS else Direction.UP_IS_WORSE,
        failure_mode=name,
        description=name,
    )
    for name in (*RATES, *AMOUNTS)
}


@dataclass(frozen=True)
class Simulated:
    """An incident with its truth: the fault, who was hurt, and which change did it (empty: none)."""

    incident: Incident
    telemetry: "ColumnTelemetry"
    now_ns: int
    fault: Hypothesis
    cohort: dict[str, str]
    change_id: str


class ColumnTelemetry:
    """Telemetry from columns made beforehand."""

    def __init__(self, columns: dict[str, Observations], changes: Sequence[Change]) -> None:
        self._columns = columns
        self._changes = sorted(changes, key=lambda c: c.time_ns)
        nothing: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._none = Observations(metric="", time_ns=nothing, value=np.zeros(0), trace_id=[], span_id=[], dimensions=[])

    def observations(self, service: str, metrics: Sequence[str], start_ns: int, end_ns: int) -> dict[str, Observations]:
        """As `Telemetry.observations`; there is one application only."""
        return {m: self._columns.get(m, self._none).between(start_ns, end_ns) for m in metrics}

    def changes(self, start_ns: int, end_ns: int) -> list[Change]:
        """As `Telemetry.changes`."""
        return [c for c in self._changes if start_ns <= c.time_ns < end_ns]


def _pick(random: np.random.Generator, weights: dict[str, float]) -> str:
    names = list(weights)
    share = np.array([weights[n] for n in names])
    return names[int(random.choice(len(names), p=share / share.sum()))]


class _Traffic:
    """Calls of one application: time, dimensions."""

    def __init__(self, random: np.random.Generator, calls: int) -> None:
        self.random = random
        hours = float(random.uniform(4, 40))
        self.time_ns = START + np.sort((random.random(calls) * hours * HOUR).astype(np.int64))
        self.onset_ns = int(np.quantile(self.time_ns, random.uniform(0.5, 0.75)))
        routes = [f"/r{i}" for i in range(int(random.integers(2, 6)))]
        self.tools = [f"tool_{i}" for i in range(3)]
        self.sources = [f"docs_{i}" for i in range(8)]
        tenants = [f"t{i}" for i in range(25)]
        zipf = 1.0 / np.arange(1, 26)
        route = random.choice(len(routes), calls, p=random.dirichlet(np.full(len(routes), 4.0)))
        tenant = random.choice(25, calls, p=zipf / zipf.sum())
        user = random.integers(0, 12, calls)
        region = random.choice(["eu", "us", "ap"], calls, p=[0.5, 0.3, 0.2])
        language = random.choice(["en", "de", "fr", "es"], calls, p=[0.55, 0.2, 0.15, 0.1])
        model = [["large", "small"][r % 2] for r in range(len(routes))]
        self.dimensions: list[Dimensions] = []
        for i in range(calls):
            r = int(route[i])
            self.dimensions.append(
                {
                    "service.name": (SERVICE,),
                    "route": (routes[r],),
                    "model": (model[r],),
                    "prompt.version": (f"p{r}.7",),
                    "index.version": (f"idx{r % 2}.3",),
                    "tool": tuple(random.choice(self.tools, int(random.integers(1, 3)), replace=False)),
                    "tenant": (tenants[tenant[i]],),
                    "region": (str(region[i]),),
                    "language": (str(language[i]),),
                    "document.source": tuple(random.choice(self.sources, 2, replace=False)),
                    "user": (f"u{tenant[i]}.{user[i]}",),
                }
            )

    def holds(self, conditions: dict[str, str]) -> npt.NDArray[np.bool_]:
        return np.array([all(v in d.get(k, ()) for k, v in conditions.items()) for d in self.dimensions])


def incident(seed: int, fault: Hypothesis, calls: int = 6000) -> Simulated:
    """One incident of a fault, with random traffic, cohort, severity, changes and missing metrics."""
    random = np.random.default_rng(seed)
    traffic = _Traffic(random, calls)
    kind = _pick(random, fault.change_weights)
    cohort, cause = _cohort(random, traffic, fault, kind)
    hurt = traffic.holds(cohort) & (traffic.time_ns >= traffic.onset_ns)
    affected = hurt & (random.random(calls) < random.uniform(0.25, 0.9))
    columns = _columns(random, traffic, fault, affected)
    bad_so_far = np.cumsum(affected)
    at = int(np.searchsorted(bad_so_far, min(int(random.integers(40, 300)), int(bad_so_far[-1]))))
    now = int(traffic.time_ns[min(at, calls - 1)])
    changes = _decoys(random, traffic) + ([cause] if cause else [])
    signals = _signals(columns, traffic, cohort, now)
    stamp = Timestamp(ns=traffic.onset_ns, actor="detect")
    opened = Incident(
        id="inc",
        service=SERVICE,
        title="",
        state=State.OPEN,
        severity=Severity.SEV3,
        timestamps={"started": stamp, "detected": stamp},
        signals=signals,
    )
    return Simulated(opened, ColumnTelemetry(columns, changes), now, fault, cohort, cause.id if cause else "")


def _cohort(random: np.random.Generator, traffic: _Traffic, fault: Hypothesis, kind: str) -> tuple[dict[str, str], Change | None]:
    delay = int(random.exponential(1.0) * random.choice([0.05, 1.0]) * HOUR) if kind != "none" else 0
    cause_ns = traffic.onset_ns - min(delay, 6 * HOUR)
    dimension = _pick(random, fault.cohort_weights)
    if dimension == "none":
        if kind == "none":
            return {}, None
        return {}, Change(id="cause", time_ns=cause_ns, kind=ChangeKind(kind), service=SERVICE, target="settings")
    example = traffic.dimensions[int(random.integers(len(traffic.dimensions)))]
    value = example[dimension][0]
    if dimension in ("prompt.version", "index.version") and kind != "none":
        new = value + "-next"
        share = random.choice([1.0, 1.0, 0.5])
        for i in np.flatnonzero(traffic.time_ns >= traffic.onset_ns).tolist():
            if traffic.dimensions[i][dimension] == (value,) and random.random() < share:
                traffic.dimensions[i] = {**traffic.dimensions[i], dimension: (new,)}
        own = DIMENSION_OF.get(ChangeKind(kind)) == dimension
        change = Change(
            id="cause",
            time_ns=cause_ns,
            kind=ChangeKind(kind),
            service=SERVICE,
            from_value=value if own else "",
            to_value=new if own else "",
        )
        return {dimension: new}, change
    if kind == "none":
        return {dimension: value}, None
    scope = {dimension: value} if random.random() < 0.6 else {}
    target = value if not scope and random.random() < 0.7 else "settings"
    return {dimension: value}, Change(
        id="cause", time_ns=cause_ns, kind=ChangeKind(kind), service=SERVICE, target=target, scope=scope
    )


def _decoys(random: np.random.Generator, traffic: _Traffic) -> list[Change]:
    first, last = int(traffic.time_ns[0]), int(traffic.time_ns[-1])
    found = []
    for i in range(int(random.integers(0, 7))):
        near = random.random() < 0.4
        time_ns = traffic.onset_ns + int(random.normal(0, 1) * HOUR) if near else int(random.integers(first, last))
        example = traffic.dimensions[int(random.integers(len(traffic.dimensions)))]
        dimension = str(random.choice(["route", "tenant", "region", "tool"]))
        scope = {dimension: example[dimension][0]} if random.random() < 0.5 else {}
        kind = ChangeKind(str(random.choice([k.value for k in ChangeKind])))
        found.append(Change(id=f"decoy{i}", time_ns=time_ns, kind=kind, service=SERVICE, target="settings", scope=scope))
    return found


def _columns(
    random: np.random.Generator, traffic: _Traffic, fault: Hypothesis, affected: npt.NDArray[np.bool_]
) -> dict[str, Observations]:
    n = affected.size
    values = {
        m: np.where(random.random(n) < random.uniform(0.002, 0.05), random.beta(8, 2, n), random.beta(1, 30, n)) for m in RATES
    }
    values |= {m: median * np.exp(random.normal(0, sd, n)) for m, (median, sd) in AMOUNTS.items()}
    codes = dict(part.rsplit(":", 1) for part in fault.moves.split())
    for name, code in codes.items():
        composite = COMPOSITES.get(name)
        if composite is None or random.random() > CHANCE[code]:
            continue
        up = code in ("++", "+", "~") or (code == "+-" and random.random() < 0.5)
        hit = affected & (random.random(n) < random.uniform(*SHARE[code]))
        for metric in composite.rising:
            _move(random, values, metric, hit, up)
        for metric in composite.falling:
            _move(random, values, metric, hit, not up)
    absent = {m for m in values if random.random() < 0.15 and codes.get(m) not in ("++", "--")}
    ids = [f"{i:032x}" for i in range(n)]
    gone = codes.get("feedback_presence") == "--", codes.get("guard_presence") == "--", codes.get("tool_presence") == "--"
    missing = dict(zip(("negative_feedback", "guardrail_block", "tool_error"), gone, strict=True))
    found = {}
    for metric, column in values.items():
        if metric in absent:
            continue
        keep = ~affected if missing.get(metric) else np.ones(n, dtype=np.bool_)
        rows = np.flatnonzero(keep)
        found[metric] = Observations(
            metric=metric,
            time_ns=traffic.time_ns[rows],
            value=column[rows],
            trace_id=[ids[i] for i in rows],
            span_id=[ids[i][:16] for i in rows],
            dimensions=[traffic.dimensions[i] for i in rows],
        )
    return found


def _move(
    random: np.random.Generator, values: dict[str, npt.NDArray[np.float64]], metric: str, hit: npt.NDArray[np.bool_], up: bool
) -> None:
    if metric in AMOUNTS:
        factor = float(random.uniform(1.5, 4.0))
        values[metric] = np.where(hit, values[metric] * (factor if up else 1 / factor), values[metric])
    else:
        values[metric] = np.where(hit, random.beta(8, 2, hit.size) if up else random.beta(1, 30, hit.size), values[metric])


def _signals(columns: dict[str, Observations], traffic: _Traffic, cohort: dict[str, str], now: int) -> tuple[Signal, ...]:
    """What detectors would have said: the three metrics that moved most since onset."""
    random = traffic.random
    segment = Segment(SERVICE, *next(iter(cohort.items()))) if cohort and random.random() < 0.7 else Segment(SERVICE)
    found = []
    for metric, rows in columns.items():
        old, new = rows.between(0, traffic.onset_ns).value, rows.between(traffic.onset_ns, now).value
        if min(old.size, new.size) < 5:
            continue
        z = float(new.mean() - old.mean()) / float(np.sqrt(old.var() / new.size + 1e-9))
        if METRICS[metric].direction is Direction.UP_IS_WORSE and z < 0:
            continue
        onset = traffic.onset_ns + int(random.normal(0, 0.05) * (now - traffic.onset_ns))
        found.append(
            Signal(
                id=metric,
                detector="e",
                metric=metric,
                segment=segment,
                onset_ns=onset,
                detected_ns=now,
                baseline=float(old.mean()),
                observed=float(new.mean()),
                log_evidence=z * z / 2,
                threshold=8.0,
                calls=new.size,
                bad=float(new.sum()),
                budget=0.1,
            )
        )
    return tuple(sorted(found, key=lambda s: -s.log_evidence)[:3])
