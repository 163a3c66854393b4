from collections.abc import Sequence

import msgspec
import pytest

from holdfast.core.diagnosis import Diagnosis
from holdfast.core.events import DiagnosisMade, IncidentAcknowledged, IncidentDeclined, IncidentOpened, Recorded, fold
from holdfast.core.incident import State
from holdfast.core.signal import Verdict
from holdfast.correlate.correlator import Correlator
from tests.correlate.signals import HOUR, MINUTE, Book, at, cleared, names, shown, signal
from tests.detect.replay import feed
from tests.detect.simulation import METRICS, START_NS, Fault, Script, traffic


@pytest.fixture
def book() -> Book:
    return Book(Correlator(METRICS))


def test_a_failure_opens_an_incident_with_title_severity_and_times(book: Book) -> None:
    (incident,) = book.at(60, signal())
    assert incident.title == "Hallucination quadrupled for support: 4.0 % → 16 %"
    assert (incident.started_ns, incident.detected_ns) == (at(0), at(60))
    assert incident.state is State.OPEN


def test_parent_and_children_and_other_metrics_of_one_cause_are_one_incident(book: Book) -> None:
    incidents = book.at(
        600,
        signal(segment="route=/a", onset_s=10),
        signal(onset_s=0),
        signal("format_violation", onset_s=40),
        signal(segment="route=/b", onset_s=30),
        signal("refusal", "region=eu", onset_s=100),
    )
    assert len(incidents) == 1
    assert len(incidents[0].signals) == 5
    assert incidents[0].started_ns == at(0)


def test_two_faults_at_once_in_different_places_stay_two(book: Book) -> None:
    incidents = book.at(
        600,
        signal("ungrounded_answer", "route=/a", onset_s=0, exemplars=shown("t1")),
        signal("format_violation", "route=/b", onset_s=200, exemplars=shown("t9")),
    )
    assert names(incidents) == [{"ungrounded_answer@support[route=/a]"}, {"format_violation@support[route=/b]"}]


def test_a_second_fault_of_another_kind_later_is_a_second_incident(book: Book) -> None:
    book.at(60, signal())
    assert len(book.at(5 * HOUR, signal("latency", onset_s=5 * HOUR - 60))) == 2


def test_an_anomaly_that_became_a_failure_opens_an_incident_as_a_failure(book: Book) -> None:
    mild = signal(verdict=Verdict.ANOMALY)
    assert not book.at(60, mild)
    (incident,) = book.at(120, msgspec.structs.replace(mild, verdict=Verdict.FAILURE, detected_ns=at(120)))
    assert [s.verdict for s in incident.signals] == [Verdict.FAILURE]


def test_applications_never_share_an_incident(book: Book) -> None:
    assert len(book.at(60, signal(), signal(service="billing"))) == 2


def test_a_fault_that_flaps_stays_one_incident(book: Book) -> None:
    for hour in range(6):
        onset = hour * HOUR
        one = signal(onset_s=onset)
        incidents = book.at(onset + 60, one)
        assert incidents[0].state is State.OPEN
        book.at(onset + 20 * MINUTE, cleared(one, onset + 20 * MINUTE))
        book.at(onset + 40 * MINUTE)
        assert book.all()[0].state is State.MITIGATED
    assert len(book.all()) == 1


def test_a_fault_that_comes_back_after_the_end_is_a_new_incident_that_refers_to_the_old_one(book: Book) -> None:
    one = signal()
    book.at(60, one)
    book.at(1000, cleared(one, 1000))
    book.at(2000)
    assert book.at(4 * HOUR)[0].state is State.RESOLVED
    old, new = book.at(30 * HOUR, signal(onset_s=30 * HOUR - 60))
    assert new.follows == old.id
    assert old.state is State.RESOLVED


def test_an_anomaly_opens_nothing_but_joins_what_is_open(book: Book) -> None:
    slow = signal("latency", verdict=Verdict.ANOMALY)
    assert not book.at(60, slow)
    (incident,) = book.at(200, signal(onset_s=100))
    assert names([incident]) == [{"latency@support", "ungrounded_answer@support"}]


def test_an_anomaly_that_cleared_before_does_not_join(book: Book) -> None:
    slow = signal("latency", verdict=Verdict.ANOMALY)
    book.at(60, slow)
    book.at(90, cleared(slow, 90))
    assert names(book.at(200, signal(onset_s=100))) == [{"ungrounded_answer@support"}]


def test_an_anomaly_that_became_a_failure_opens_an_incident(book: Book) -> None:
    slow = signal("latency", verdict=Verdict.ANOMALY)
    assert not book.at(60, slow)
    assert len(book.at(600, msgspec.structs.replace(slow, verdict=Verdict.FAILURE))) == 1


def test_an_anomaly_does_not_reopen_what_has_stopped(book: Book) -> None:
    one = signal()
    book.at(60, one)
    book.at(1000, cleared(one, 1000))
    book.at(1400)
    assert book.at(1500, signal(onset_s=1450, verdict=Verdict.ANOMALY))[0].state is State.MITIGATED


def test_noise_is_dropped_and_counted(book: Book) -> None:
    assert not book.at(60, signal(verdict=Verdict.NOISE))
    assert book.correlator.counts["noise"] == 1


def test_the_same_signals_again_after_a_crash_change_nothing(book: Book) -> None:
    signals = (signal(), signal("refusal"), signal("latency", "region=eu", onset_s=3 * HOUR))
    book.at(4 * HOUR, *signals)
    before, events = book.all(), list(book.events)
    again = Book(Correlator(METRICS))
    again.at(4 * HOUR, *signals)
    assert again.all() == before
    book.write(again.events)
    assert book.events == events
    assert book.at(4 * HOUR, *signals) == before


def test_what_a_person_declined_is_not_opened_again_at_once(book: Book) -> None:
    (incident,) = book.at(60, signal())
    book.write([Recorded(incident_id=incident.id, time_ns=at(90), actor="ann", event=IncidentDeclined(reason="test"), key="d")])
    assert len(book.at(HOUR, signal(onset_s=HOUR - 60))) == 1
    assert len(book.at(40 * HOUR, signal(onset_s=40 * HOUR - 60))) == 2


def test_a_hard_signal_opens_at_once(book: Book) -> None:
    assert len(book.at(1, signal("canary", detector="hard", calls=1, bad=1.0, observed=1.0))) == 1


def test_events_can_be_folded_in_the_order_in_which_they_come(book: Book) -> None:
    one = signal()
    book.at(60, one, signal("refusal"), cleared(one, 50))
    assert fold(book.events) == book.all()[0]
    assert isinstance(book.events[0].event, IncidentOpened)


def test_clearing_an_unknown_signal_is_no_event(book: Book) -> None:
    assert not book.at(60, cleared(signal(), 50))


def diagnosed(book: Book, cohorts: Sequence[dict[str, str]], now_ns: int) -> None:
    """The first incident has the first cohort, and so on."""
    for incident, cohort in zip(book.all(), cohorts, strict=False):
        event = DiagnosisMade(diagnosis=Diagnosis(time_ns=now_ns, layers=(), causes=(), cohort=cohort, cohort_confidence=0.9))
        key = f"{incident.id}:diagnosed"
        book.write([Recorded(incident_id=incident.id, time_ns=now_ns, actor="x", event=event, key=key)])


def replayed(script: Script, *more: Script, cohorts: Sequence[dict[str, str]] = ()) -> Book:
    from holdfast.detect.detection import Detection

    book, detection = Book(Correlator(METRICS)), Detection(METRICS)
    traces = sorted((t for s in (script, *more) for t in traffic(s)), key=lambda t: t.trace.end_ns)
    for i in range(0, len(traces), 100):
        part = traces[i : i + 100]
        now_ns = part[-1].trace.end_ns
        events = [*feed(detection, part), *detection.tick(now_ns)]
        book.write(book.correlator.correlate(events, list(book.incidents.values()), now_ns))
        diagnosed(book, cohorts, now_ns)
    return book


def test_a_healthy_day_has_no_incident() -> None:
    assert not replayed(Script(seconds=86_400, rate=0.05, seed=12)).all()


def test_a_fault_in_one_segment_is_one_incident_with_the_right_onset() -> None:
    where = {"route": "/search"}
    (incident,) = replayed(Script(seconds=9000, faults=[Fault(4000.0, "ungrounded_answer", 0.3, where)])).all()
    assert abs(incident.started_ns - START_NS - 4000 * 10**9) < 600 * 10**9
    assert incident.title.startswith("Hallucination")
    assert any(s.segment.conditions == where for s in incident.signals)


def test_two_faults_in_time_are_two_incidents() -> None:
    faults = [Fault(4000.0, "ungrounded_answer", 0.4, {"route": "/search"}), Fault(9000.0, "latency", 5000.0, {"region": "eu"})]
    book = replayed(Script(seconds=13_000, faults=faults))
    assert [i.signals[0].metric for i in book.all()] == ["ungrounded_answer", "latency"]


def test_two_faults_of_one_metric_at_once_in_different_calls_stay_two_once_the_first_is_diagnosed() -> None:
    """A prompt fault on one route; an hour later tenants of the other route are hurt by something else, in the same metric."""
    faults = [
        Fault(4000.0, "ungrounded_answer", 0.4, {"route": "/search"}),
        Fault(7600.0, "ungrounded_answer", 0.6, {"route": "/chat", "tenant": "globex"}),
    ]
    book = replayed(Script(seconds=16_000, faults=faults, seed=3), cohorts=[{"route": "/search"}, {"tenant": "globex"}])
    first, second = book.all()
    assert first.signals[0].segment.conditions in ({"route": "/search"}, {})
    assert second.signals[0].segment.conditions in ({"tenant": "globex"}, {"route": "/chat"})
    assert second.started_ns - first.started_ns > 2400 * 10**9


def test_one_fault_that_shows_in_several_segments_and_metrics_stays_one_after_its_diagnosis() -> None:
    where = {"route": "/search"}
    faults = [Fault(4000.0, name, 0.4, where) for name in ("ungrounded_answer", "format_violation")]
    late = Fault(8000.0, "refusal", 0.3, where)
    assert len(replayed(Script(seconds=16_000, faults=[*faults, late], seed=3), cohorts=[where]).all()) == 1


def test_a_flapping_fault_is_one_incident() -> None:
    flaps = [Fault(4000.0 + 2400 * i, "ungrounded_answer", 0.5, end_s=5200.0 + 2400 * i) for i in range(4)]
    assert len(replayed(Script(seconds=16_000, faults=flaps)).all()) == 1


def test_a_dead_scorer_is_an_incident() -> None:
    (incident,) = replayed(Script(seconds=8000, dead=(4000.0, 7000.0))).all()
    assert incident.title.startswith("Scorer lexical does not run")


def two_of_one_cause(book: Book) -> tuple[str, str]:
    book.at(60, signal("ungrounded_answer", "route=/a", onset_s=0, exemplars=shown("t1")))
    elder, younger = book.at(900, signal("format_violation", "route=/b", onset_s=600, exemplars=shown("t9")))
    for incident in (elder, younger):
        diagnosis = Diagnosis(time_ns=at(900), layers=(), causes=(), cohort={"tenant": "acme"})
        book.write([Recorded(incident_id=incident.id, time_ns=at(900), actor="x", event=DiagnosisMade(diagnosis=diagnosis))])
        book.keys.discard("")
    return elder.id, younger.id


def test_two_incidents_that_turn_out_to_be_one_are_merged_into_the_elder_with_their_signals(book: Book) -> None:
    elder, younger = two_of_one_cause(book)
    book.at(1000)
    assert book.incidents[younger].state is State.MERGED
    assert book.incidents[younger].merged_into == elder
    assert {s.metric for s in book.incidents[elder].signals} == {"ungrounded_answer", "format_violation"}
    before = len(book.events)
    book.at(1000)
    assert len(book.events) == before


def test_an_incident_that_a_person_has_taken_on_is_not_merged_away(book: Book) -> None:
    _, younger = two_of_one_cause(book)
    book.write([Recorded(incident_id=younger, time_ns=at(950), actor="ada", event=IncidentAcknowledged(), key="ack")])
    book.at(1000)
    assert book.incidents[younger].state is State.OPEN
