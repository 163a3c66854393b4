"""Drills as values, for tests of the scorecard."""

from holdfast.core.change import Change, ChangeKind
from holdfast.core.clock import NS_PER_S
from holdfast.core.diagnosis import Cause, Diagnosis, Layer, LayerProbability
from holdfast.core.incident import Incident, Severity, State, Timestamp
from holdfast.core.signal import Segment, Signal, Verdict
from holdfast.drills.conventional import Reading
from holdfast.drills.faults.registry import FAULTS
from holdfast.drills.injection import Injection
from holdfast.drills.outcome import Drilled, Outcome, Request
from holdfast.drills.scenario import Scenario

START_NS = 1_000_000 * NS_PER_S
MINUTE_NS = 60 * NS_PER_S
ONSET_NS = START_NS + 50 * MINUTE_NS
END_NS = START_NS + 100 * MINUTE_NS
GUILTY = Change(id="guilty", time_ns=ONSET_NS - MINUTE_NS, kind=ChangeKind.PROMPT)
LATER = Change(id="later", time_ns=ONSET_NS + MINUTE_NS, kind=ChangeKind.FLAG)
FAULT = "grounding_rule_dropped"


def at(minute: float) -> int:
    return START_NS + int(minute * MINUTE_NS)


def request(minute: int, route: str = "/chat", struck: bool = False) -> Request:
    return Request(f"{minute}{route}", at(minute), {"route": (route,)}, (FAULT,) if struck else ())


REQUESTS = [request(m, route, m >= 50 and m % 5 == 0 and route == "/chat") for m in range(100) for route in ("/chat", "/search")]
"""One request a minute to each of two routes; every fifth of /chat is harmed after the onset at minute 50."""


def injection(fault: str = FAULT, end_ns: int = END_NS) -> Injection:
    return Injection(
        fault=FAULTS[fault],
        scope={"route": "/chat"},
        cohort={"route": "/chat"},
        change=GUILTY,
        change_ns=GUILTY.time_ns,
        onset_ns=ONSET_NS,
        end_ns=end_ns,
        rate=0.2,
    )


def diagnosis(*layers: Layer, cohort: dict[str, str] | None = None, change: str = "guilty", sure: float = 0.9) -> Diagnosis:
    chances = [sure, *[(1 - sure) / max(len(layers) - 1, 1)] * (len(layers) - 1)]
    return Diagnosis(
        time_ns=END_NS,
        layers=tuple(LayerProbability(layer, p) for layer, p in zip(layers, chances, strict=True)),
        causes=(Cause(fault=FAULT, layer=layers[0], probability=sure, change_id=change),),
        cohort={"route": "/chat"} if cohort is None else cohort,
    )


def signal(minute: float, value: str = "/chat", metric: str = "ungrounded_answer") -> Signal:
    return Signal(
        id=f"{metric}{minute}{value}",
        detector="sr",
        metric=metric,
        segment=Segment("shop", "route", value),
        onset_ns=at(minute - 5),
        detected_ns=at(minute),
        baseline=0.02,
        observed=0.2,
        log_evidence=12.0,
        threshold=10.0,
        calls=40,
        bad=8.0,
        budget=0.01,
        verdict=Verdict.FAILURE,
    )


def incident(
    minute: float, *signals: Signal, said: Diagnosis | None = None, state: State = State.OPEN, name: str = "inc"
) -> Incident:
    found = signals or (signal(minute),)
    return Incident(
        id=f"{name}{minute}",
        service="shop",
        title="Ungrounded answers tripled",
        state=state,
        severity=Severity.SEV2,
        timestamps={"started": Timestamp(ns=at(minute - 5), actor="d"), "detected": Timestamp(ns=at(minute), actor="d")},
        signals=found,
        diagnosis=said,
    )


def drilled(*incidents: Incident, fault: str = FAULT, end_ns: int = END_NS, readings: tuple[Reading, ...] = ()) -> Drilled:
    return Drilled(
        scenario=Scenario(fault=fault, calls=len(REQUESTS), hours=100 / 60, start_ns=START_NS),
        injections=(injection(fault, end_ns),) if fault else (),
        start_ns=START_NS,
        end_ns=END_NS,
        requests=REQUESTS,
        changes=[GUILTY, LATER],
        incidents=incidents,
        readings=readings,
    )


def outcome(fault: str = FAULT, **fields: object) -> Outcome:
    common: dict[str, object] = {
        "drill": fault or "healthy",
        "application": "support",
        "seed": 1,
        "calls": 2000,
        "severity": 0.5,
        "ramp": "step",
        "rollout": 1.0,
        "delay_s": 60.0,
        "days": 1.0,
        "quiet_days": 0.5 if fault else 1.0,
        "fault": fault,
        "layer": FAULTS[fault].layer if fault else "",
        "harmed": 40 if fault else 0,
    }
    return Outcome(**{**common, **fields})  # type: ignore[arg-type]
