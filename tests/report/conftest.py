"""An incident as the pipeline would leave it."""

import msgspec
import pytest

from holdfast.core.diagnosis import Attacker, Cause, Diagnosis, Layer, LayerProbability, Statement
from holdfast.core.events import DiagnosisMade, ImpactMeasured, IncidentOpened, Recorded, SignalJoined, fold
from holdfast.core.incident import Impact, Incident, Severity
from holdfast.core.score import Direction, Family, Metric, Unit
from holdfast.core.signal import Exemplar, Segment, Signal

START = 1_700_000_000_000_000_000
MINUTE = 60_000_000_000


def signal(metric: str = "ungrounded_answer", **changed: object) -> Signal:
    values: dict[str, object] = {
        "id": f"sig_{metric}",
        "detector": "sr_mixture",
        "metric": metric,
        "segment": Segment("shop", "prompt.version", "v2"),
        "onset_ns": START,
        "detected_ns": START + MINUTE,
        "baseline": 0.04,
        "observed": 0.2,
        "log_evidence": 12.0,
        "threshold": 9.0,
        "calls": 80,
        "bad": 16.0,
        "budget": 0.01,
        "exemplars": (Exemplar("a" * 32, "b" * 16, "the number 42 is in no document"),),
    }
    return Signal(**{**values, **changed})  # type: ignore[arg-type]


def diagnosis(probability: float = 0.9) -> Diagnosis:
    rest = (1 - probability) / 6
    layers = [Layer.PROMPT_ENGINEERING, *(layer for layer in Layer if layer is not Layer.PROMPT_ENGINEERING)]
    return Diagnosis(
        time_ns=START + 2 * MINUTE,
        layers=tuple(LayerProbability(layer, probability if i == 0 else rest) for i, layer in enumerate(layers)),
        causes=(
            Cause(
                fault="grounding_rule_dropped",
                layer=Layer.PROMPT_ENGINEERING,
                probability=0.8,
                suspect={"prompt.version": "v2"},
                change_id="deploy-7",
                why="v2 went out 20 s before",
            ),
        ),
        cohort={"prompt.version": "v2"},
        evidence=(Statement(group="retrieval", text="retrieval is as good as before"),),
        actions=("roll prompt.version back to v1",),
    )


@pytest.fixture
def metrics() -> dict[str, Metric]:
    return {
        "ungrounded_answer": Metric(
            name="ungrounded_answer",
            family=Family.QUALITY,
            unit=Unit.PROBABILITY,
            direction=Direction.UP_IS_WORSE,
            failure_mode="hallucination",
            description="the answer says what no source says",
        )
    }


def events(probability: float = 0.9) -> list[Recorded]:
    def recorded(minute: int, event: object) -> Recorded:
        return Recorded(incident_id="inc_1", time_ns=START + minute * MINUTE, actor="holdfast", event=event)  # type: ignore[arg-type]

    opened = IncidentOpened(
        service="shop",
        title="Hallucination rose",
        severity=Severity.SEV2,
        started_ns=START,
        detected_ns=START + MINUTE,
        signal=signal(),
    )
    return [
        recorded(1, opened),
        recorded(1, SignalJoined(signal=signal("negative_feedback", log_evidence=10.0, exemplars=()))),
        recorded(2, DiagnosisMade(diagnosis=diagnosis(probability))),
        recorded(2, ImpactMeasured(impact=Impact(calls=16, calls_low=9, calls_high=24, users=12, cost_usd=0.31))),
    ]


@pytest.fixture
def incident() -> Incident:
    return fold(events())


ATTACKERS = (
    Attacker(user="mallory|x", attacks=7, requests=9, first_ns=START, last_ns=START + 5 * MINUTE, new=True),
    Attacker(user="trudy", attacks=2, requests=40, first_ns=START, last_ns=START, new=False),
)


@pytest.fixture
def campaign(incident: Incident) -> Incident:
    """The same incident, were it the work of two users."""
    assert incident.diagnosis is not None
    diagnosis = msgspec.structs.replace(incident.diagnosis, cohort={}, attackers=ATTACKERS)
    return msgspec.structs.replace(incident, diagnosis=diagnosis)
