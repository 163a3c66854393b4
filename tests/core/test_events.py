from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.diagnosis import Cause, Diagnosis, Layer, LayerProbability
from holdfast.core.errors import TransitionError
from holdfast.core.events import (
    CommentAdded,
    DiagnosisMade,
    ImpactMeasured,
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentClosed,
    IncidentDeclined,
    IncidentEvent,
    IncidentMerged,
    IncidentMitigated,
    IncidentOpened,
    IncidentResolved,
    Recorded,
    SeverityChanged,
    SignalEnded,
    SignalJoined,
    TimestampCorrected,
    apply,
    describe,
    fold,
)
from holdfast.core.incident import TRANSITIONS, Impact, Incident, Priority, Severity, State
from holdfast.core.signal import Segment, Signal, SignalCleared

OPENED = IncidentOpened(service="support", title="hallucination", severity=Severity.SEV2, started_ns=100, detected_ns=200)


def signal(id_: str = "sig_1", onset_ns: int = 90) -> Signal:
    return Signal(
        id=id_,
        detector="e_process",
        metric="ungrounded_answer",
        segment=Segment("support", "route", "/chat"),
        onset_ns=onset_ns,
        detected_ns=200,
        baseline=0.05,
        observed=0.41,
        log_evidence=9.0,
        threshold=7.0,
        calls=40,
        bad=16.0,
        budget=0.1,
    )


def cleared(id_: str = "sig_1") -> SignalEnded:
    return SignalEnded(cleared=SignalCleared(signal_id=id_, metric="m", segment=Segment("support"), cleared_ns=400))


def recorded(event: IncidentEvent, time_ns: int = 300) -> Recorded:
    return Recorded(incident_id="inc_1", time_ns=time_ns, actor="ada", event=event)


def after(*events: IncidentEvent) -> Incident:
    return fold(recorded(event, 300 + i) for i, event in enumerate((OPENED, *events)))


DIAGNOSIS = Diagnosis(
    time_ns=1,
    layers=(LayerProbability(Layer.PROMPT_ENGINEERING, 0.9), LayerProbability(Layer.UNKNOWN, 0.1)),
    causes=(Cause(fault="grounding_rule_dropped", layer=Layer.PROMPT_ENGINEERING, probability=0.9),),
)
PATHS: dict[State, tuple[IncidentEvent, ...]] = {
    State.OPEN: (),
    State.MITIGATED: (IncidentMitigated(reason="rolled back"),),
    State.RESOLVED: (IncidentResolved(reason="fixed"),),
    State.CLOSED: (IncidentResolved(reason="fixed"), IncidentClosed(reason="reviewed")),
    State.DECLINED: (IncidentDeclined(reason="load test"),),
    State.MERGED: (IncidentMerged(into="inc_2"),),
}
"""How an incident gets into each state."""

MOVES: dict[State, IncidentEvent] = {
    State.MITIGATED: IncidentMitigated(reason="r"),
    State.RESOLVED: IncidentResolved(reason="r"),
    State.CLOSED: IncidentClosed(reason="r"),
    State.DECLINED: IncidentDeclined(reason="r"),
    State.MERGED: IncidentMerged(into="inc_9"),
}
"""The event that leads into each state."""

FACTS: tuple[IncidentEvent, ...] = (
    SignalJoined(signal=signal()),
    cleared(),
    DiagnosisMade(diagnosis=DIAGNOSIS),
    ImpactMeasured(impact=Impact(calls=3)),
    SeverityChanged(severity=Severity.SEV1),
    IncidentAcknowledged(),
    IncidentAssigned(assignee="bo"),
)
"""Events that do not end anything, and come too late when it has ended."""

EVENTS = st.sampled_from(
    (OPENED, *FACTS, *MOVES.values(), CommentAdded(text="hm"), TimestampCorrected(field="started", ns=5, reason="logs"))
)


@given(st.lists(EVENTS, max_size=25))
def test_no_sequence_of_events_leads_where_the_table_forbids(events: list[IncidentEvent]) -> None:
    incident: Incident | None = None
    for event in (OPENED, *events):
        try:
            following = apply(incident, recorded(event))
        except TransitionError:
            continue
        if incident is not None:
            assert following.state == incident.state or following.state in TRANSITIONS[incident.state]
            assert following.version == incident.version + 1
            assert following.timeline[: len(incident.timeline)] == incident.timeline
        incident = following
    assert incident is not None
    assert incident.version == len(incident.timeline)


@given(st.lists(EVENTS, max_size=12))
def test_a_refused_event_leaves_the_incident_as_it_was(events: list[IncidentEvent]) -> None:
    incident = after()
    for event in events:
        before = msgspec.json.encode(incident)
        try:
            incident = apply(incident, recorded(event))
        except TransitionError:
            assert msgspec.json.encode(incident) == before


@given(st.lists(EVENTS, max_size=12))
def test_the_same_events_always_fold_to_the_same_bytes(events: list[IncidentEvent]) -> None:
    kept, incident = [recorded(OPENED)], after()
    for event in events:
        try:
            incident = apply(incident, recorded(event))
        except TransitionError:
            continue
        kept.append(recorded(event))
    again = fold(msgspec.json.decode(msgspec.json.encode(kept), type=list[Recorded]))
    assert msgspec.json.encode(again) == msgspec.json.encode(fold(kept))


@pytest.mark.parametrize("state", PATHS)
@pytest.mark.parametrize("target", MOVES)
def test_an_incident_moves_only_as_the_table_says(state: State, target: State) -> None:
    incident = after(*PATHS[state])
    assert incident.state is state
    if target in TRANSITIONS[state]:
        assert apply(incident, recorded(MOVES[target])).state is target
    else:
        with pytest.raises(TransitionError, match=f"inc_1 is {state} and cannot become {target}"):
            apply(incident, recorded(MOVES[target]))


@pytest.mark.parametrize("state", [State.CLOSED, State.DECLINED, State.MERGED])
@pytest.mark.parametrize("event", FACTS, ids=lambda e: type(e).__name__)
def test_what_comes_after_the_end_is_refused(state: State, event: IncidentEvent) -> None:
    with pytest.raises(TransitionError, match="comes too late"):
        apply(after(*PATHS[state]), recorded(event))


@pytest.mark.parametrize("state", PATHS)
def test_a_comment_can_always_be_made(state: State) -> None:
    incident = apply(after(*PATHS[state]), recorded(CommentAdded(text="lessons")))
    assert (incident.state, incident.timeline[-1].text) == (state, "lessons")


@pytest.mark.parametrize("event", [*FACTS, *MOVES.values(), CommentAdded(text="x")], ids=lambda e: type(e).__name__)
def test_nothing_happens_before_an_incident_is_opened(event: IncidentEvent) -> None:
    with pytest.raises(TransitionError, match="before IncidentOpened on inc_1"):
        apply(None, recorded(event))


def test_no_events_make_no_incident() -> None:
    with pytest.raises(TransitionError, match="does not exist"):
        fold([])


def test_an_incident_is_opened_once() -> None:
    with pytest.raises(TransitionError, match="open already"):
        after(OPENED)


def test_what_is_no_event_is_refused() -> None:
    nonsense: Any = object()
    with pytest.raises(TypeError, match="unknown event"):
        apply(after(), Recorded(incident_id="inc_1", time_ns=1, actor="a", event=nonsense))


def test_an_opened_incident_says_who_saw_it() -> None:
    by_signal = fold([recorded(msgspec.structs.replace(OPENED, signal=signal()))])
    assert (by_signal.timestamps["started"].source, after().timestamps["started"].source) == ("signal", "person")
    assert (by_signal.version, by_signal.signals[0].id, by_signal.started_ns, by_signal.detected_ns) == (1, "sig_1", 100, 200)


def test_a_candidate_becomes_open_or_ends_but_is_not_resolved() -> None:
    candidate = fold([recorded(msgspec.structs.replace(OPENED, state=State.CANDIDATE))])
    assert apply(candidate, recorded(MOVES[State.DECLINED])).state is State.DECLINED
    with pytest.raises(TransitionError):
        apply(candidate, recorded(MOVES[State.RESOLVED]))


def test_a_signal_on_a_mitigated_incident_opens_it_again() -> None:
    assert after(IncidentMitigated(reason="r"), SignalJoined(signal=signal())).state is State.OPEN


def test_a_signal_that_is_told_again_replaces_itself_and_is_no_longer_cleared() -> None:
    incident = after(SignalJoined(signal=signal()), cleared(), SignalJoined(signal=signal(onset_ns=95)))
    assert [s.onset_ns for s in incident.signals] == [95]
    assert incident.cleared == ()


def test_an_earlier_onset_moves_the_start_back() -> None:
    assert after(SignalJoined(signal=signal(onset_ns=40))).started_ns == 40


def test_a_later_onset_does_not_move_the_start() -> None:
    assert after(SignalJoined(signal=signal(onset_ns=150))).started_ns == 100


def test_a_start_that_a_person_set_is_not_moved_by_a_signal() -> None:
    correction = TimestampCorrected(field="started", ns=80, reason="logs")
    assert after(correction, SignalJoined(signal=signal(onset_ns=40))).started_ns == 80


def test_cleared_signals_are_kept_once_and_in_order() -> None:
    assert after(*(cleared(f"sig_{i}") for i in (3, 1, 2, 3))).cleared == ("sig_3", "sig_1", "sig_2")


def test_a_diagnosis_replaces_the_one_before_and_may_rename_the_incident() -> None:
    incident = after(DiagnosisMade(diagnosis=DIAGNOSIS, title="Prompt v2 lost a rule"), DiagnosisMade(diagnosis=DIAGNOSIS))
    assert (incident.diagnosis, incident.title) == (DIAGNOSIS, "Prompt v2 lost a rule")


def test_an_incident_is_acknowledged_once() -> None:
    incident = after(IncidentAcknowledged())
    assert incident.timestamps["acknowledged"].actor == "ada"
    with pytest.raises(TransitionError, match="acknowledged before"):
        apply(incident, recorded(IncidentAcknowledged()))


def test_severity_and_priority_are_two_things() -> None:
    incident = after(SeverityChanged(severity=Severity.SEV4, priority=Priority.HIGH))
    assert (incident.severity, incident.priority) == (Severity.SEV4, Priority.HIGH)


def test_impact_and_assignee_are_the_last_ones_told() -> None:
    incident = after(
        ImpactMeasured(impact=Impact(calls=1)), ImpactMeasured(impact=Impact(calls=9)), IncidentAssigned(assignee="bo")
    )
    assert (incident.impact.calls, incident.assignee) == (9, "bo")


def test_an_incident_is_not_merged_into_itself() -> None:
    with pytest.raises(TransitionError, match="into itself"):
        after(IncidentMerged(into="inc_1"))


def test_a_merged_incident_says_where_it_went() -> None:
    assert after(IncidentMerged(into="inc_2")).merged_into == "inc_2"


def test_mitigation_and_resolution_are_stamped_with_the_time_of_the_event() -> None:
    incident = after(IncidentMitigated(reason="r"), IncidentResolved(reason="r"))
    assert (incident.timestamps["mitigated"].ns, incident.timestamps["resolved"].ns) == (301, 302)


def test_a_corrected_timestamp_keeps_all_earlier_values() -> None:
    first, second = (TimestampCorrected(field="started", ns=ns, reason="logs") for ns in (70, 60))
    stamp = after(first, second).timestamps["started"]
    assert (stamp.ns, stamp.corrected_from, stamp.source) == (60, (100, 70), "logs")


def test_a_timestamp_that_was_never_set_cannot_be_corrected() -> None:
    with pytest.raises(TransitionError, match="no timestamp 'resolved': started, detected"):
        after(TimestampCorrected(field="resolved", ns=1, reason="r"))


@pytest.mark.parametrize("event", [OPENED, *FACTS, *MOVES.values()], ids=lambda e: type(e).__name__)
def test_every_event_comes_back_from_json_as_it_was(event: IncidentEvent) -> None:
    assert msgspec.json.decode(msgspec.json.encode(recorded(event)), type=Recorded) == recorded(event)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (OPENED, "sev2: hallucination"),
        (SignalJoined(signal=signal()), "ungrounded_answer on support[route=/chat]: 0.05 → 0.41"),
        (cleared(), "m on support is back within its margin"),
        (DiagnosisMade(diagnosis=DIAGNOSIS), "prompt_engineering 0.90, grounding_rule_dropped"),
        (DiagnosisMade(diagnosis=Diagnosis(time_ns=1, layers=(), causes=())), "no layer"),
        (ImpactMeasured(impact=Impact(calls=9, calls_low=7, calls_high=12, users=4)), "9 bad answers (7-12), 4 users"),
        (SeverityChanged(severity=Severity.SEV1, reason="all users"), "sev1: all users"),
        (IncidentAcknowledged(), ""),
        (IncidentAssigned(assignee="bo"), "to bo"),
        (IncidentMerged(into="inc_2"), "into inc_2"),
        (CommentAdded(text="hm"), "hm"),
        (TimestampCorrected(field="started", ns=1, reason="logs"), "started: logs"),
        (IncidentMitigated(reason="rolled back"), "rolled back"),
        (IncidentResolved(reason="fixed"), "fixed"),
        (IncidentClosed(reason="reviewed"), "reviewed"),
        (IncidentDeclined(reason="load test"), "load test"),
    ],
    ids=lambda v: type(v).__name__,
)
def test_every_event_has_its_line_in_the_timeline(event: IncidentEvent, line: str) -> None:
    assert describe(event) == line


def test_a_diagnosis_that_knows_the_onset_better_sets_the_start() -> None:
    better = msgspec.structs.replace(DIAGNOSIS, onset_ns=4_711)
    incident = after(DiagnosisMade(diagnosis=better))
    assert (incident.started_ns, incident.timestamps["started"].source) == (4_711, "diagnosis")


def test_the_start_that_a_person_corrected_stands_against_a_diagnosis() -> None:
    better = msgspec.structs.replace(DIAGNOSIS, onset_ns=4_711)
    incident = after(TimestampCorrected(field="started", ns=99, reason="seen in the logs"), DiagnosisMade(diagnosis=better))
    assert incident.started_ns == 99
