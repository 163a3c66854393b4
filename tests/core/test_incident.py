import pytest

from holdfast.core.diagnosis import Diagnosis
from holdfast.core.incident import ACTIVE, TRANSITIONS, Incident, Severity, State, Timestamp
from holdfast.core.signal import Segment, Signal


def signal(segment: Segment) -> Signal:
    return Signal(
        id=str(segment),
        detector="d",
        metric="m",
        segment=segment,
        onset_ns=1,
        detected_ns=2,
        baseline=0.1,
        observed=0.4,
        log_evidence=9.0,
        threshold=7.0,
        calls=40,
        bad=16.0,
        budget=0.1,
    )


def incident(**fields: object) -> Incident:
    known = {"id": "inc_1", "service": "s", "title": "t", "state": State.OPEN, "severity": Severity.SEV3}
    return Incident(**{**known, **fields})  # type: ignore[arg-type]


def test_every_state_says_where_it_can_go() -> None:
    assert set(TRANSITIONS) == set(State)


@pytest.mark.parametrize("final", [State.CLOSED, State.DECLINED, State.MERGED])
def test_nothing_follows_a_final_state(final: State) -> None:
    assert TRANSITIONS[final] == frozenset()


def test_a_resolved_incident_can_only_be_closed() -> None:
    assert TRANSITIONS[State.RESOLVED] == {State.CLOSED}


def test_nothing_becomes_a_candidate_again() -> None:
    assert all(State.CANDIDATE not in following for following in TRANSITIONS.values())


@pytest.mark.parametrize("state", State)
def test_no_state_follows_itself(state: State) -> None:
    assert state not in TRANSITIONS[state]


def test_active_incidents_are_those_that_may_still_do_harm() -> None:
    assert {State.CANDIDATE, State.OPEN, State.MITIGATED} == ACTIVE


def test_an_incident_knows_when_it_started_and_was_detected() -> None:
    stamps = {"started": Timestamp(ns=1, actor="a"), "detected": Timestamp(ns=2, actor="a")}
    assert (incident(timestamps=stamps).started_ns, incident(timestamps=stamps).detected_ns) == (1, 2)


def test_an_incident_without_timestamps_does_not_make_any_up() -> None:
    with pytest.raises(KeyError):
        _ = incident().started_ns


def test_the_cohort_is_what_the_signals_have_in_common() -> None:
    same = (signal(Segment("s", "route", "/a")), signal(Segment("s", "route", "/a")))
    other = (*same, signal(Segment("s", "tenant", "t1")))
    assert incident(signals=same).cohort == {"route": "/a"}
    assert incident(signals=other).cohort == {}


def test_without_signals_there_is_no_cohort() -> None:
    assert incident().cohort == {}


def test_the_diagnosis_knows_the_cohort_better() -> None:
    diagnosis = Diagnosis(time_ns=1, layers=(), causes=(), cohort={"tenant": "t9"})
    assert incident(signals=(signal(Segment("s", "route", "/a")),), diagnosis=diagnosis).cohort == {"tenant": "t9"}
