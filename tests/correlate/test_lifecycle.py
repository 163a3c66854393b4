from holdfast.core.events import Recorded, SeverityChanged, apply
from holdfast.core.incident import Impact, Incident, Severity, State
from holdfast.core.signal import Verdict
from holdfast.correlate.correlator import Correlator
from holdfast.correlate.lifecycle import advance, escalate, quiet_since, standing
from holdfast.correlate.policy import CorrelatePolicy
from tests.correlate.signals import HOUR, Book, at, cleared, signal
from tests.detect.simulation import METRICS

POLICY = CorrelatePolicy()


def test_an_incident_is_mitigated_after_the_hold_and_resolved_after_the_cool_down() -> None:
    book, one = Book(Correlator(METRICS)), signal()
    book.at(60, one)
    assert book.at(1000, cleared(one, 1000))[0].state is State.OPEN
    assert book.at(1000 + POLICY.hold_s - 1)[0].state is State.OPEN
    assert book.at(1000 + POLICY.hold_s)[0].state is State.MITIGATED
    assert book.at(1300 + POLICY.cool_down_s - 1)[0].state is State.MITIGATED
    assert book.at(1300 + POLICY.cool_down_s)[0].state is State.RESOLVED


def test_an_incident_with_a_failure_that_stands_stays_open() -> None:
    book, one, two = Book(Correlator(METRICS)), signal(), signal("refusal")
    book.at(60, one, two)
    (incident,) = book.at(20 * HOUR, cleared(one, 1000))
    assert incident.state is State.OPEN
    assert standing(incident)
    assert quiet_since(incident) == 0


def test_an_anomaly_that_stands_keeps_no_incident_open() -> None:
    book, one = Book(Correlator(METRICS)), signal()
    book.at(60, one, signal("latency", verdict=Verdict.ANOMALY))
    book.at(1000, cleared(one, 1000))
    assert book.at(2 * HOUR)[0].state is State.MITIGATED


def incident_of_sev3() -> Incident:
    return Book(Correlator(METRICS)).at(60, signal(segment="route=/a"))[0]


def test_severity_grows_with_the_impact() -> None:
    import msgspec

    incident = msgspec.structs.replace(incident_of_sev3(), impact=Impact(calls=900, users=300))
    recorded = escalate(incident, METRICS, POLICY, at(100))
    assert recorded is not None
    assert isinstance(recorded.event, SeverityChanged)
    assert recorded.event.severity is Severity.SEV2
    assert "300 users" in recorded.event.reason


def test_a_severity_that_a_person_has_set_stays() -> None:
    import msgspec

    by_person = Recorded(
        incident_id=incident_of_sev3().id, time_ns=at(90), actor="ann", event=SeverityChanged(severity=Severity.SEV4)
    )
    incident = msgspec.structs.replace(apply(incident_of_sev3(), by_person), impact=Impact(calls=900, users=300))
    assert escalate(incident, METRICS, POLICY, at(100)) is None


def test_severity_never_falls_by_itself() -> None:
    assert escalate(incident_of_sev3(), METRICS, POLICY, at(100)) is None


def test_nothing_is_due_for_an_incident_that_goes_on() -> None:
    assert advance(incident_of_sev3(), 0, POLICY, at(100 * HOUR)) is None
