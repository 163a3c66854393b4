import msgspec
import pytest

from holdfast.drills.conventional import Reading
from holdfast.drills.outcome import Alarm, Named, Outcome
from holdfast.drills.scorecard import LEAST_HARMED, MANY_HARMED, Scorecard, scorecard
from tests.drills.build import outcome

ALARM = Alarm(
    title="t", detected="", metric="m", segment="s", detector="d", baseline=0, observed=1, calls=1, cohort={}, signals=1
)


def named(rank: int = 1, confidence: float = 0.9, change: str = "guilty") -> Named:
    return Named(
        layer="x", confidence=confidence, layer_rank=rank, cause="", fault_rank=rank, cohort={}, jaccard=0.5, change_id=change
    )


def found(fault: str = "stale_index", **fields: object) -> Outcome:
    given = {"detected": True, "calls_to_detect": 10, "minutes_to_detect": 5.0, "bad_served": 2, "named": named(), **fields}
    return outcome(fault, **given)


def test_misses_count_against_what_is_found_and_not_against_what_is_named() -> None:
    card = scorecard([found(), outcome("stale_index")], 0.2)
    everything = card.parts[0]
    assert everything.detected.value == 0.5
    assert everything.layer_first.value == 1.0
    assert everything.drills == 2


def test_an_incident_without_diagnosis_counts_as_not_named() -> None:
    assert scorecard([found(named=None)], 0.2).parts[0].layer_first.value == 0.0


def test_a_fault_that_harmed_hardly_anybody_is_told_apart() -> None:
    card = scorecard([found(harmed=LEAST_HARMED - 1), found(harmed=LEAST_HARMED)], 0.2)
    assert card.parts[0].drills == 1
    assert len(card.subtle) == 1


def test_report_only_faults_are_a_part_of_their_own() -> None:
    parts = {c.name: c for c in scorecard([found(), outcome("system_prompt_leak")], 0.2).parts}
    assert parts["development"].detected.value == 1.0
    assert parts["report only"].detected.value == 0.0


def test_every_layer_and_every_fault_has_its_cell() -> None:
    card = scorecard([found(), found("agent_loop")], 0.2)
    assert [c.name for c in card.faults] == ["stale_index", "agent_loop"]
    assert {c.name: c.drills for c in card.layers if c.drills} == {"input_data": 1, "downstream_integration": 1}


def test_only_faults_with_a_change_are_asked_for_it() -> None:
    guilty = found(change_id="guilty", latest_change="other")
    cell = scorecard([guilty, found(change_id="")], 0.2).parts[0]
    assert (cell.change.value, cell.change.count) == (1.0, 1)
    assert cell.latest_change.value == 0.0


def test_precision_is_told_where_the_diagnosis_is_sure() -> None:
    cell = scorecard([found(named=named(2, 0.9)), found(named=named(1, 0.86)), found(named=named(3, 0.4))], 0.2).parts[0]
    assert cell.sure.value == pytest.approx(2 / 3)
    assert cell.sure_right.value == 0.5
    assert cell.layer_third.value == 1.0


def test_false_incidents_are_counted_per_day_where_nothing_was_broken() -> None:
    before = msgspec.structs.replace(ALARM, before_onset=True)
    card = scorecard(
        [outcome("", false_alarms=(ALARM,)), outcome("", drill="surge"), found(false_alarms=(ALARM, before))],
        0.2,
    )
    quiet = {q.name: q.false_per_day.value for q in card.quiet}
    assert quiet == {"healthy": 1.0, "decoys": 0.0, "healthy and decoys": 0.5, "before a fault": 2.0}


def test_faults_that_harmed_many_are_a_part_of_their_own() -> None:
    parts = {c.name: c for c in scorecard([found(harmed=MANY_HARMED), outcome("agent_loop", harmed=MANY_HARMED - 1)], 0.2).parts}
    assert parts["all"].detected.value == 0.5
    assert parts[f"{MANY_HARMED} or more harmed"].detected.value == 1.0


def test_static_thresholds_keep_the_budget_and_find_what_goes_beyond_all_quiet_times() -> None:
    plain = found(static_before={"refusal": 0.1}, static_after={"refusal": 0.5})
    hidden = found("agent_loop", static_before={"refusal": 0.2}, static_after={"refusal": 0.19})
    assert [c.static.value for c in scorecard([plain, hidden], 0.2).faults] == [1.0, 0.0]


def test_conventional_monitoring_gets_the_threshold_that_keeps_the_budget() -> None:
    readings = (Reading(1, 3.5, "latency"), Reading(2, 6.0, "error"))
    quiet = [outcome("", conventional_before=high) for high in (1.0, 2.0, 4.0, 5.0, 2.0)]
    card = scorecard([*quiet, found(conventional_after=readings), found(conventional_after=readings[:1])], 0.2)
    assert 4.0 < card.conventional_threshold < 4.1
    assert card.parts[0].conventional.value == 0.5
    assert card.parts[0].conventional_usual.value == 1.0


def test_its_threshold_is_never_below_the_usual_one() -> None:
    assert scorecard([outcome("")], 0.2).conventional_threshold == 3.0


def test_nothing_at_all_is_a_scorecard_too() -> None:
    card = scorecard([], 0.2)
    assert not card.quiet
    assert card.parts[0].detected.value is None


def test_a_scorecard_survives_json() -> None:
    card = scorecard([found(), outcome("")], 0.2)
    assert msgspec.json.decode(msgspec.json.encode(card), type=Scorecard) == card
