"""The stages in order: what goes in as records comes out as incidents, whatever is repeated or late."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.app import build_stages
from holdfast.core.call import Call, Evaluation, EvaluationRecord
from holdfast.core.change import Change
from holdfast.core.clock import NS_PER_S
from holdfast.core.events import IncidentResolved, Recorded
from holdfast.core.incident import State
from holdfast.drills.scenario import Scenario, play, prepare
from holdfast.drills.write import by_end
from holdfast.ingest.checkpoint import Position
from holdfast.ingest.record import Record, record_time_ns
from holdfast.ledger.store import Ledger
from holdfast.pipeline import Pipeline, Stages
from holdfast.replay import replay
from holdfast.settings import Settings
from holdfast.telemetry.store import TelemetryStore

SCENARIO = Scenario(fault="template_variable_unsubstituted", calls=700, hours=2, seed=4)


def records(scenario: Scenario) -> list[tuple[int, Record]]:
    prepared = prepare(scenario)
    found: list[Record] = [*prepared.changes, *(call for call, _ in by_end(play(prepared)))]
    return sorted(((record_time_ns(r), r) for r in found), key=lambda pair: pair[0])


@pytest.fixture(scope="module")
def broken() -> list[tuple[int, Record]]:
    return records(SCENARIO)


@pytest.fixture
def telemetry(tmp_path: Path) -> Iterator[TelemetryStore]:
    with TelemetryStore(f"chdb://{tmp_path}/telemetry") as store:
        yield store


@pytest.fixture
def stages(tmp_path: Path, telemetry: TelemetryStore) -> Iterator[Stages]:
    with Ledger(f"sqlite:///{tmp_path}/ledger.sqlite") as ledger:
        yield build_stages(Settings(), telemetry, ledger)


def test_a_fault_becomes_one_diagnosed_incident_with_impact(stages: Stages, broken: list[tuple[int, Record]]) -> None:
    replay(Pipeline(stages), broken)
    (incident,) = stages.ledger.incidents()
    assert incident.diagnosis is not None
    assert incident.diagnosis.layers[0].layer == "prompt_engineering"
    assert incident.impact.calls > 0
    assert stages.ledger.verify().ok


def test_the_same_records_again_change_nothing(
    stages: Stages, telemetry: TelemetryStore, broken: list[tuple[int, Record]]
) -> None:
    replay(Pipeline(stages), broken)
    calls, events = telemetry.count(), stages.ledger.anchor().seq
    replay(Pipeline(stages), broken)
    assert telemetry.count() == calls
    assert len(stages.ledger.incidents()) == 1
    assert stages.ledger.anchor().seq >= events


def test_the_word_of_a_person_stands_against_what_comes_too_late(stages: Stages, broken: list[tuple[int, Record]]) -> None:
    pipeline = Pipeline(stages)
    resolved = False
    for time_ns, record in broken:
        pipeline.feed([(Position(), record)], time_ns)
        open_ones = stages.ledger.incidents(states={State.OPEN}) if not resolved else []
        if open_ones:
            event = IncidentResolved(reason="rolled back")
            stages.ledger.append([Recorded(incident_id=open_ones[0].id, time_ns=time_ns, actor="ada", event=event)])
            first, resolved = open_ones[0].id, True
            break
    pipeline.finish(broken[-1][0])
    assert resolved
    assert stages.ledger.incident(first).state is State.RESOLVED


def test_an_evaluation_that_comes_after_its_trace_is_scored_with_the_dimensions_of_its_call(stages: Stages) -> None:
    (time_ns, call), *_ = [(t, r) for t, r in records(Scenario(calls=5, seed=2)) if isinstance(r, Call) and not r.parent_span_id]
    pipeline = Pipeline(stages)
    pipeline.feed([(Position(), call)], time_ns)
    pipeline.feed([], time_ns + 60 * NS_PER_S)
    late = EvaluationRecord(
        time_ns=time_ns + 61 * NS_PER_S,
        evaluation=Evaluation("user_feedback", 0.0, "thumbs_down"),
        trace_id=call.trace_id,
        span_id=call.span_id,
    )
    pipeline.feed([(Position(), late)], time_ns + 61 * NS_PER_S)
    found = stages.telemetry.observations(call.service, ["negative_feedback"], 0, time_ns + 90 * NS_PER_S)["negative_feedback"]
    assert found.value.tolist()[-1] > 0.5
    assert found.dimensions[-1]["service.name"] == (call.service,)


def test_changes_and_nothing_else_are_kept(stages: Stages) -> None:
    (change,) = [r for _, r in records(SCENARIO) if isinstance(r, Change)][:1]
    Pipeline(stages).feed([(Position(), change)], change.time_ns)
    assert stages.telemetry.changes(0, change.time_ns + 1) == [change]
