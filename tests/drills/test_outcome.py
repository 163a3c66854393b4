import pytest

from holdfast.core.diagnosis import Layer
from holdfast.core.incident import Incident, State
from holdfast.drills.conventional import Reading
from holdfast.drills.outcome import Outcome, judge, truth_of
from tests.drills.build import FAULT, GUILTY, ONSET_NS, at, diagnosis, drilled, incident, signal


def judged(*incidents: object, **fields: object) -> Outcome:
    (outcome,) = judge(drilled(*incidents, **fields))  # type: ignore[arg-type]
    return outcome


def test_an_incident_that_begins_after_onset_finds_the_fault() -> None:
    outcome = judged(incident(60, said=diagnosis(Layer.PROMPT_ENGINEERING, Layer.UNKNOWN)))
    assert outcome.detected
    assert (outcome.calls_to_detect, outcome.bad_served, outcome.minutes_to_detect) == (11, 3, 10.0)
    assert outcome.named is not None
    assert outcome.named.right
    assert (outcome.named.layer_rank, outcome.named.fault_rank, outcome.named.jaccard) == (1, 1, 1.0)
    assert outcome.named.change_id == outcome.change_id == "guilty"
    assert not outcome.false_alarms


def test_no_incident_is_a_miss() -> None:
    outcome = judged()
    assert not outcome.detected
    assert outcome.named is None
    assert outcome.harmed == 10


def test_an_incident_before_onset_is_a_false_alarm_and_finds_nothing() -> None:
    outcome = judged(incident(30))
    assert not outcome.detected
    assert [a.before_onset for a in outcome.false_alarms] == [True]


def test_an_incident_from_before_that_alarms_again_finds_the_fault_and_stays_a_false_alarm() -> None:
    outcome = judged(incident(30, signal(30), signal(70)))
    assert outcome.detected
    assert outcome.minutes_to_detect == 20.0
    assert len(outcome.false_alarms) == 1
    assert not outcome.duplicates


def test_an_incident_about_other_requests_is_a_false_alarm() -> None:
    outcome = judged(incident(60, said=diagnosis(Layer.UNKNOWN, cohort={"route": "/search"})))
    assert not outcome.detected
    assert len(outcome.false_alarms) == 1
    assert not outcome.false_alarms[0].before_onset


def test_an_incident_long_after_the_harm_ended_is_a_false_alarm() -> None:
    assert judged(incident(60), end_ns=at(55)).detected
    late = judged(incident(95), end_ns=at(55))
    assert not late.detected
    assert len(late.false_alarms) == 1


def test_a_second_incident_of_one_fault_is_a_duplicate_and_the_first_is_judged() -> None:
    first = incident(60, said=diagnosis(Layer.PROMPT_ENGINEERING, Layer.UNKNOWN))
    outcome = judged(incident(70, said=diagnosis(Layer.UNKNOWN)), first)
    assert len(outcome.duplicates) == 1
    assert outcome.named is not None
    assert outcome.named.right
    assert not outcome.false_alarms


def test_the_truth_of_an_incident_is_the_fault_that_it_is_about() -> None:
    seen = incident(60, said=diagnosis(Layer.PROMPT_ENGINEERING, Layer.UNKNOWN))
    truth = truth_of(seen, drilled(seen))
    assert truth is not None
    assert truth.fault.name == FAULT


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(incident(30), id="before_onset"),
        pytest.param(incident(30, signal(30), signal(70)), id="before_onset_and_alarmed_again"),
        pytest.param(incident(60, said=diagnosis(Layer.UNKNOWN, cohort={"route": "/search"})), id="other_requests"),
        pytest.param(incident(60, state=State.MERGED), id="seen_by_nobody"),
    ],
)
def test_an_incident_that_should_not_be_there_has_no_truth(wrong: Incident) -> None:
    assert truth_of(wrong, drilled(wrong)) is None


@pytest.mark.parametrize("state", [State.CANDIDATE, State.DECLINED, State.MERGED])
def test_what_people_are_not_shown_does_not_count(state: State) -> None:
    outcome = judged(incident(60, state=state), incident(20, state=state))
    assert not outcome.detected
    assert not outcome.false_alarms


def test_every_incident_of_a_drill_without_fault_is_a_false_alarm() -> None:
    outcome = judged(incident(20), incident(80), fault="")
    assert len(outcome.false_alarms) == 2
    assert outcome.quiet_days == outcome.days


def test_an_incident_without_diagnosis_names_nothing() -> None:
    assert judged(incident(60)).named is None


def test_a_layer_or_fault_that_is_not_named_has_rank_zero() -> None:
    named = judged(incident(60, said=diagnosis(Layer.UNKNOWN, change="later"))).named
    assert named is not None
    assert (named.layer_rank, named.right, named.change_id) == (0, False, "later")


def test_the_cohort_is_judged_by_the_requests_that_it_selects() -> None:
    wide = judged(incident(60, said=diagnosis(Layer.UNKNOWN, cohort={}))).named
    assert wide is not None
    assert wide.jaccard == pytest.approx(0.5)


def test_blaming_the_latest_change_blames_the_last_one_before_detection() -> None:
    assert judged(incident(60)).latest_change == "later"
    assert judged(incident(50.5)).latest_change == "guilty"


def test_conventional_readings_are_kept_apart_by_onset_and_only_their_record_highs_since() -> None:
    minutes = ((20, 2.5), (40, 1.0), (55, 1.0), (60, 4.0), (65, 3.0), (70, 5.0))
    outcome = judged(readings=tuple(Reading(at(m), v, "latency") for m, v in minutes))
    assert outcome.conventional_before == 2.5
    assert [r.value for r in outcome.conventional_after] == [1.0, 4.0, 5.0]


def test_a_fault_knows_whether_it_is_only_reported_on() -> None:
    assert not judged(fault=FAULT).report_only
    assert judged(fault="system_prompt_leak").report_only


def test_a_change_that_is_noticed_before_it_harms_anybody_is_found_at_no_cost() -> None:
    change_minute = 49.5
    assert at(change_minute) >= GUILTY.time_ns
    assert at(change_minute) < ONSET_NS
    outcome = judged(incident(change_minute))
    assert (outcome.detected, outcome.calls_to_detect, outcome.bad_served, outcome.minutes_to_detect) == (True, 0, 0, 0.0)
    assert not outcome.false_alarms
