import msgspec
import pytest

from holdfast.core.diagnosis import Attacker, Cause, Diagnosis, Layer, LayerProbability
from holdfast.core.incident import Incident, State
from holdfast.core.signal import Signal, Verdict
from holdfast.core.spread import Spread
from holdfast.correlate.correlator import Correlator
from holdfast.correlate.match import Why, disjoint, nested, redundant, same_cause, why_joined
from holdfast.correlate.policy import CorrelatePolicy
from tests.correlate.signals import HOUR, Book, shown, signal
from tests.detect.simulation import METRICS


def why(new: Signal, *old: Signal) -> Why | None:
    book = Book(Correlator(METRICS))
    (incident,) = book.at(60, *old)
    return why_joined(new, incident, CorrelatePolicy())


FIRST = signal(segment="route=/a", exemplars=shown("t1", "t2"))


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (signal(segment="route=/a", onset_s=5 * HOUR), Why.SAME_STREAM),
        (signal(onset_s=5 * HOUR), Why.SAME_STREAM),
        (signal("refusal", "route=/b", exemplars=shown("t2")), Why.SAME_CALLS),
        (signal(segment="route=/b", onset_s=60), Why.SAME_METRIC),
        (signal("refusal", "route=/a", onset_s=60), Why.SAME_SEGMENT),
        (signal("refusal", onset_s=60), Why.SAME_SEGMENT),
        (signal("refusal", "region=eu", onset_s=60), Why.SAME_TIME),
        (signal("refusal", "route=/b", onset_s=60), None),
        (signal(segment="route=/b", onset_s=2 * HOUR), None),
        (signal(segment="language=en", onset_s=2 * HOUR), Why.SAME_STREAM),
        (signal("refusal", "route=/a", onset_s=2 * HOUR), None),
        (signal("refusal", "route=/b", onset_s=2 * HOUR, exemplars=shown("t1")), None),
        (signal(service="billing"), None),
    ],
)
def test_a_signal_joins_for_the_strongest_reason_there_is(new: Signal, expected: Why | None) -> None:
    assert why(new, FIRST) is expected


def test_what_is_wrong_with_the_same_calls_is_one_cause_however_badly_their_onsets_are_known() -> None:
    seen = Spread(calls=6, beyond=0.8, traces=tuple("abcdef"))
    first = signal(segment="route=/a", spread=seen)
    same = signal("refusal", "prompt.version=v3", onset_s=9 * HOUR, spread=seen)
    assert why(same, first) is Why.SAME_CALLS
    others = msgspec.structs.replace(same, spread=Spread(calls=6, beyond=0.8, traces=tuple("uvwxyz")))
    assert why(others, first) is None


def test_a_stream_that_took_long_to_alarm_is_given_a_wider_window() -> None:
    slow = signal("refusal", onset_s=1200, detected_ns=signal().detected_ns + int(3 * HOUR * 1e9))
    quick = signal("refusal", onset_s=1200)
    assert why(slow, signal()) is Why.SAME_SEGMENT
    assert why(quick, signal()) is None


def test_segments_nest_or_exclude_each_other() -> None:
    whole, a, b, eu = (signal(segment=s).segment for s in ("", "route=/a", "route=/b", "region=eu"))
    assert nested(whole, a)
    assert nested(a, a)
    assert not nested(a, eu)
    assert disjoint(a, b)
    assert not disjoint(a, eu)
    assert not disjoint(whole, a)


POLICY = CorrelatePolicy()


def incident_of(
    *signals: Signal,
    cohort: dict[str, str] | None = None,
    fault: str = "wrong_embedder",
    change: str = "",
    layer: Layer | None = None,
) -> Incident:
    book = Book(Correlator(METRICS))
    (incident,) = book.at(60, *signals)
    if cohort is None:
        return incident
    cause = Cause(fault=fault, layer=Layer.INPUT_DATA, probability=0.9, change_id=change)
    layers = (LayerProbability(layer, 0.9),) if layer else ()
    diagnosis = Diagnosis(time_ns=0, layers=layers, causes=(cause,) if fault else (), cohort=cohort)
    return msgspec.structs.replace(incident, diagnosis=diagnosis)


@pytest.mark.parametrize(
    ("segment", "onset_s", "joins"),
    [
        ("", 60, True),
        ("prompt.version=v2", 60, True),
        ("prompt.version=v1", 60, False),
        ("tool=search", 60, False),
        ("", -3 * HOUR, False),
        ("prompt.version=v2", 2 * HOUR, False),
    ],
)
def test_what_is_no_failure_joins_only_where_and_when_the_incident_began(segment: str, onset_s: float, joins: bool) -> None:
    incident = incident_of(signal(segment="prompt.version=v2"), cohort={"prompt.version": "v2"})
    anomaly = signal("latency", segment, onset_s, verdict=Verdict.ANOMALY)
    assert (why_joined(anomaly, incident, POLICY) is not None) == joins


def test_an_anomaly_that_took_long_to_be_seen_gets_no_wider_window() -> None:
    slow = signal("latency", onset_s=-2 * HOUR, detected_ns=signal(onset_s=HOUR).detected_ns, verdict=Verdict.ANOMALY)
    assert why(slow, signal()) is None


def test_a_fault_that_shows_thinner_elsewhere_adds_no_signals() -> None:
    incident = incident_of(signal(segment="prompt.version=v2"), cohort={"prompt.version": "v2"})
    assert redundant(signal(segment="language=en"), incident, POLICY)
    assert not redundant(signal(), incident, POLICY), "the whole application says how far it reaches"
    assert not redundant(signal("refusal", "language=en"), incident, POLICY), "another metric is news"


def test_before_a_diagnosis_the_first_few_segments_of_a_metric_are_shown() -> None:
    few = [signal(segment=f"tenant={t}") for t in "ab"]
    assert not redundant(signal(segment="tenant=c"), incident_of(*few), POLICY)
    assert redundant(signal(segment="tenant=d"), incident_of(*few, signal(segment="tenant=c")), POLICY)


def test_what_has_cleared_does_not_hide_what_fails_now() -> None:
    first = signal(segment="prompt.version=v2")
    incident = msgspec.structs.replace(incident_of(first, cohort={"prompt.version": "v2"}), cleared=(first.id,))
    assert not redundant(signal(segment="language=en"), incident, POLICY)


def test_incidents_of_one_cohort_and_onset_are_one_cause() -> None:
    one = incident_of(signal(), cohort={"tenant": "a"})
    late = incident_of(signal("refusal", onset_s=2 * HOUR), cohort={"tenant": "a"})
    assert same_cause(one, incident_of(signal("refusal", onset_s=600), cohort={"tenant": "a"}), POLICY)
    assert not same_cause(one, late, POLICY)
    assert not same_cause(one, incident_of(signal("refusal"), cohort={"tenant": "b"}), POLICY)
    assert not same_cause(one, incident_of(signal("refusal")), POLICY)
    assert not same_cause(one, incident_of(signal("refusal", service="billing"), cohort={"tenant": "a"}), POLICY)


@pytest.mark.parametrize(("fault", "same"), [("wrong_embedder", True), ("stale_index", False), ("", False)])
def test_where_everybody_is_hurt_the_fault_must_agree_too(fault: str, same: bool) -> None:
    one, other = incident_of(signal(), cohort={}), incident_of(signal("refusal"), cohort={}, fault=fault)
    assert same_cause(one, other, POLICY) is same


@pytest.mark.parametrize(("hours", "change", "same"), [(2, "c1", True), (7, "c1", False), (2, "c2", False), (2, "", False)])
def test_hours_apart_incidents_are_one_where_both_blame_the_same_change(hours: int, change: str, same: bool) -> None:
    for cohort in ({}, {"tenant": "a"}):
        one = incident_of(signal(), cohort=cohort, change="c1")
        other = incident_of(signal("refusal", onset_s=hours * HOUR), cohort=cohort, change=change, fault="stale_index")
        assert same_cause(one, other, POLICY) is same


@pytest.mark.parametrize(
    ("cohort", "fault", "same"),
    [
        ({"tool": "get_order"}, "wrong_embedder", True),
        ({"tool": "get_order"}, "unrecognised", False),
        ({"tool": "get_order"}, "stale_index", False),
        ({}, "wrong_embedder", False),
    ],
)
def test_half_a_day_apart_incidents_of_one_cohort_are_one_where_they_name_the_same_fault(
    cohort: dict[str, str], fault: str, same: bool
) -> None:
    elder = "unrecognised" if fault == "unrecognised" else "wrong_embedder"
    one = incident_of(signal(), cohort=cohort, fault=elder, layer=Layer.INPUT_DATA)
    other = incident_of(signal("refusal", onset_s=13 * HOUR), cohort=cohort, fault=fault, layer=Layer.INPUT_DATA)
    assert same_cause(one, other, POLICY) is same


@pytest.mark.parametrize(
    ("cohort", "layer", "same"),
    [
        ({"tenant": "a"}, Layer.INPUT_DATA, True),
        ({"tenant": "a"}, Layer.OUTPUT_PROCESSING, False),
        ({"tenant": "b"}, Layer.INPUT_DATA, False),
        ({}, Layer.INPUT_DATA, False),
    ],
)
def test_hours_apart_incidents_of_the_same_sick_are_one_where_the_layer_agrees(
    cohort: dict[str, str], layer: Layer, same: bool
) -> None:
    one = incident_of(signal(), cohort={"tenant": "a"} if cohort else {}, layer=Layer.INPUT_DATA)
    other = incident_of(signal("refusal", onset_s=2 * HOUR), cohort=cohort, layer=layer, fault="stale_index")
    assert same_cause(one, other, POLICY) is same


@pytest.mark.parametrize(
    ("segment", "hours", "joins"),
    [("prompt.version=v28", -5, False), ("prompt.version=v28", 2, True), ("tool=get_order", -5, True), ("", -5, True)],
)
def test_what_began_hours_before_in_another_dimension_than_the_sick_is_another_failure(
    segment: str, hours: int, joins: bool
) -> None:
    incident = incident_of(signal(segment="tool=get_order"), cohort={"tool": "get_order"})
    later = msgspec.structs.replace(signal(segment=segment, onset_s=hours * HOUR), detected_ns=incident.detected_ns + 1)
    assert (why_joined(later, incident, CorrelatePolicy(window_share=0.0)) is not None) is joins


@pytest.mark.parametrize("layer", [Layer.BENIGN, Layer.UNKNOWN])
def test_not_to_know_is_no_agreement(layer: Layer) -> None:
    one, other = (incident_of(signal(onset_s=h * HOUR), cohort={"tenant": "a"}, layer=layer) for h in (0, 2))
    assert not same_cause(one, other, POLICY)


@pytest.mark.parametrize(
    ("segment", "hours", "joins"),
    [("tenant=a", 3, True), ("tenant=a", 7, False), ("tenant=a", -3, False), ("tenant=b", 3, False), ("", 3, False)],
)
def test_a_further_failure_of_exactly_the_diagnosed_cohort_belongs_to_it_for_hours(segment: str, hours: int, joins: bool) -> None:
    incident = incident_of(signal(segment="tenant=a"), cohort={"tenant": "a"})
    assert (why_joined(signal("refusal", segment, hours * HOUR), incident, POLICY) is not None) is joins


@pytest.mark.parametrize(("user", "hours", "joins"), [("u1", 3, True), ("u2", 30, True), ("u3", 3, False)])
def test_a_user_who_is_known_to_attack_belongs_to_the_campaign_whenever_seen(user: str, hours: int, joins: bool) -> None:
    incident = incident_of(signal(segment="tenant=a"), cohort={})
    told = tuple(Attacker(user=name, attacks=2, requests=2, first_ns=1, last_ns=2, new=True) for name in ("u1", "u2"))
    assert incident.diagnosis is not None
    incident = msgspec.structs.replace(incident, diagnosis=msgspec.structs.replace(incident.diagnosis, attackers=told))
    assert (why_joined(signal("refusal", f"user={user}", hours * HOUR), incident, POLICY) is not None) is joins


@pytest.mark.parametrize(
    ("cohort", "share", "hours", "joins"),
    [
        ({"model": "new"}, 0.97, 3, True),
        ({"model": "new"}, 0.97, 7, False),
        ({"model": "new"}, 0.6, 3, False),
        ({}, 1.0, 3, False),
    ],
    ids=["everybody", "too late", "a part", "nobody knows whom"],
)
def test_a_failure_of_the_whole_application_is_of_a_cohort_that_is_everybody(
    cohort: dict[str, str], share: float, hours: int, joins: bool
) -> None:
    incident = incident_of(signal(segment="model=new"), cohort=cohort)
    assert incident.diagnosis is not None
    incident = msgspec.structs.replace(incident, diagnosis=msgspec.structs.replace(incident.diagnosis, cohort_share=share))
    assert (why_joined(signal("refusal", "", hours * HOUR), incident, POLICY) is not None) is joins


def test_one_condition_of_a_narrower_cohort_is_not_the_cohort() -> None:
    incident = incident_of(signal(segment="tenant=a"), cohort={"tenant": "a", "language": "de"})
    assert why_joined(signal("refusal", "tenant=a", 3 * HOUR), incident, POLICY) is None


def test_what_began_after_an_incident_was_mitigated_is_not_of_its_cohort() -> None:
    incident = msgspec.structs.replace(incident_of(signal(segment="tenant=a"), cohort={"tenant": "a"}), state=State.MITIGATED)
    assert why_joined(signal("refusal", "tenant=a", 3 * HOUR), incident, POLICY) is None
