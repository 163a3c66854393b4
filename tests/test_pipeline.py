"""The stages in order: what goes in as records comes out as incidents, whatever is repeated or late."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

import holdfast.pipeline as module
from holdfast.app.stages import build_stages
from holdfast.core.call import Call, Evaluation, EvaluationRecord
from holdfast.core.change import Change
from holdfast.core.clock import NS_PER_S
from holdfast.core.events import IncidentResolved, Recorded
from holdfast.core.incident import State
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.drills.scenario import Scenario, play, prepare
from holdfast.drills.write import by_end
from holdfast.ingest.checkpoint import Position
from holdfast.ingest.record import Record, record_time_ns
from holdfast.ledger.store import Ledger
from holdfast.pipeline import MAX_AHEAD, Pipeline, Stages
from holdfast.replay import replay
from holdfast.score.registry import SCORERS
from holdfast.score.run import Coverage
from holdfast.scoring import Pending, ScoringHere
from holdfast.settings import Settings
from holdfast.telemetry.scratch import ScratchStore
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


def test_more_telemetry_than_a_diagnosis_reads_at_once_is_thinned_and_the_timeline_says_so(
    tmp_path: Path, broken: list[tuple[int, Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 10_000)
    with ScratchStore(tmp_path / "scratch") as scratch, Ledger(f"sqlite:///{tmp_path}/ledger.sqlite") as ledger:
        replay(Pipeline(build_stages(Settings(), scratch, ledger)), broken)
        (incident,) = ledger.incidents()
    assert incident.diagnosis is not None
    assert incident.diagnosis.layers[0].layer == "prompt_engineering"
    said = [entry.text for entry in incident.timeline if entry.text.startswith("diagnosed on one trace in ")]
    assert said
    assert all(text.endswith(", for all have more than 10,000 scores") for text in said)


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


def test_an_evaluation_that_comes_after_its_trace_is_scored_with_the_dimensions_of_its_call(
    stages: Stages, telemetry: TelemetryStore
) -> None:
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
    assert telemetry.evaluations(call.trace_id) == [late]


class Slow:
    """Scores when it is asked for the result, and counts what is under way."""

    def __init__(self) -> None:
        self.here, self.under_way, self.most = ScoringHere(SCORERS), 0, 0

    @property
    def coverage(self) -> Mapping[str, Coverage]:
        return self.here.coverage

    def begin(self, traces: Sequence[Trace]) -> Pending:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        return Later(self, traces)

    def snapshot(self) -> bytes:
        return self.here.snapshot()

    def restore(self, memories: bytes) -> None:
        self.here.restore(memories)

    def close(self) -> None:
        self.here.close()


class Later:
    def __init__(self, slow: Slow, traces: Sequence[Trace]) -> None:
        self.slow, self.traces = slow, traces

    def done(self) -> bool:
        return False

    def result(self) -> list[ScoredTrace]:
        self.slow.under_way -= 1
        return self.slow.here.begin(self.traces).result()


def test_scoring_that_runs_ahead_changes_nothing_in_what_is_found(
    stages: Stages, tmp_path: Path, broken: list[tuple[int, Record]]
) -> None:
    replay(Pipeline(stages), broken)
    slow = Slow()
    with Ledger(f"sqlite:///{tmp_path}/other.sqlite") as ledger, ScratchStore(tmp_path / "other") as telemetry:
        replay(Pipeline(build_stages(Settings(), telemetry, ledger, slow)), broken)
        ahead = ledger.incidents()
    assert ahead == stages.ledger.incidents()
    assert slow.most == MAX_AHEAD + 1


def test_a_backlog_that_completes_at_once_does_not_run_further_ahead(stages: Stages, broken: list[tuple[int, Record]]) -> None:
    slow = Slow()
    pipeline = Pipeline(msgspec.structs.replace(stages, scoring=slow))
    pipeline.feed([(Position(), record) for _, record in broken], broken[0][0])
    pipeline.feed([], broken[-1][0] + 3600 * NS_PER_S)
    assert slow.most <= MAX_AHEAD + 1
    pipeline.drain()
    assert slow.under_way == 0


def test_an_evaluation_of_a_trace_that_is_still_being_scored_finds_its_call(stages: Stages) -> None:
    (time_ns, call), *_ = [(t, r) for t, r in records(Scenario(calls=5, seed=2)) if isinstance(r, Call) and not r.parent_span_id]
    pipeline = Pipeline(msgspec.structs.replace(stages, scoring=Slow()))
    pipeline.feed([(Position(), call)], time_ns)
    pipeline.feed([], time_ns + 60 * NS_PER_S)
    late = EvaluationRecord(
        time_ns=time_ns + 61 * NS_PER_S, evaluation=Evaluation("user_feedback", 0.0, "thumbs_down"), trace_id=call.trace_id
    )
    pipeline.feed([(Position(), late)], time_ns + 61 * NS_PER_S)
    pipeline.drain()
    found = stages.telemetry.observations(call.service, ["negative_feedback"], 0, time_ns + 90 * NS_PER_S)["negative_feedback"]
    assert found.dimensions[-1].get("route") == call.dimensions.get("route")


def test_changes_and_nothing_else_are_kept(stages: Stages) -> None:
    (change,) = [r for _, r in records(SCENARIO) if isinstance(r, Change)][:1]
    Pipeline(stages).feed([(Position(), change)], change.time_ns)
    assert stages.telemetry.changes(0, change.time_ns + 1) == [change]
