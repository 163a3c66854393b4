"""Whether a signal and an incident have one cause."""

from enum import StrEnum

from holdfast.core.clock import NS_PER_S
from holdfast.core.diagnosis import FAULT_LAYERS, Layer
from holdfast.core.incident import Incident, State
from holdfast.core.signal import Segment, Signal, Verdict
from holdfast.correlate.policy import CorrelatePolicy

UNRECOGNISED = "unrecognised"
"""Name of the cause where a layer is recognised and no fault of it: it is no agreement."""


EVERYBODY = 0.95
"""Share of all calls from which a cohort is the whole application."""


class Why(StrEnum):
    """Why a signal joins an incident, strongest first."""

    SAME_STREAM = "same_stream"
    """The same metric of a segment that may hold the same calls, and the incident still goes on or has only just stopped."""
    SAME_CALLS = "same_calls"
    """The same bad calls are remembered by both, or shown by both, and the onsets agree."""
    SAME_COHORT = "same_cohort"
    """Another failure of exactly the diagnosed cohort, while the incident goes on: the sick have one disease, until shown."""
    SAME_METRIC = "same_metric"
    """The same metric elsewhere, and the onsets agree: one cause that shows in several segments."""
    SAME_SEGMENT = "same_segment"
    """Another metric of the same or a nested segment, and the onsets agree."""
    SAME_TIME = "same_time"
    """Segments of other dimensions, which may hold the same calls, and the onsets agree."""


def why_joined(signal: Signal, incident: Incident, policy: CorrelatePolicy) -> Why | None:
    """The strongest reason for which the signal belongs to the incident, None where there is none.

    What is no failure by itself belongs to an incident only where it began with it, among those that it hurts.
    """
    if signal.segment.service != incident.service:
        return None
    if signal.verdict is not Verdict.FAILURE and not _accompanies(signal, incident, policy):
        return None
    found = [why for other in incident.signals if (why := _related(signal, other, incident, policy)) is not None]
    if signal.verdict is Verdict.FAILURE and _of_the_sick(signal, incident, policy):
        found.append(Why.SAME_COHORT)
    if not found:
        return None
    best = min(found, key=list(Why).index)
    if best in (Why.SAME_SEGMENT, Why.SAME_TIME) and _elsewhere(signal, incident):
        return None
    return best


def redundant(signal: Signal, incident: Incident, policy: CorrelatePolicy) -> bool:
    """Whether the signal tells nothing new of an open incident: its metric is known to fail, and better elsewhere.

    A fault of one prompt version shows, thinner, in each language, tenant and document of its calls. Signals of the whole
    application and of the diagnosed cohort are always kept; before a diagnosis, the first few of each metric.
    """
    if incident.state is not State.OPEN or not signal.segment.dimension:
        return False
    failing = [
        s for s in incident.signals if s.metric == signal.metric and s.verdict is Verdict.FAILURE and s.id not in incident.cleared
    ]
    if not failing:
        return False
    if signal.verdict is not Verdict.FAILURE:
        return True
    if incident.diagnosis is not None and incident.cohort:
        return incident.cohort.get(signal.segment.dimension) != signal.segment.value
    return len(failing) >= policy.signals_per_metric


def same_cause(one: Incident, other: Incident, policy: CorrelatePolicy) -> bool:
    """Whether two open incidents turned out to be one: the same diagnosed cohort, and onsets that agree.

    Where the cohort is everybody, that alone says little: then the diagnosed fault must be the same as well. Slow streams know
    their onset badly: hours apart they are one where the diagnoses blame the same change, or the same layer of the same sick; and
    however far apart where they name the same fault of the same sick, for both go on.
    """
    if one.service != other.service or one.diagnosis is None or other.diagnosis is None or one.cohort != other.cohort:
        return False
    apart_ns = abs(one.started_ns - other.started_ns)
    if apart_ns <= policy.merge_s * NS_PER_S and (one.cohort or _fault(one) == _fault(other) != ""):
        return True
    if one.cohort and _fault(one) == _fault(other) and _layer(one) in FAULT_LAYERS and _fault(one) not in ("", UNRECOGNISED):
        return True
    same = _change(one) == _change(other) != "" or (bool(one.cohort) and _layer(one) == _layer(other) in FAULT_LAYERS)
    return same and apart_ns <= policy.cohort_s * NS_PER_S


def _fault(incident: Incident) -> str:
    return incident.diagnosis.causes[0].fault if incident.diagnosis and incident.diagnosis.causes else ""


def _change(incident: Incident) -> str:
    return incident.diagnosis.causes[0].change_id if incident.diagnosis and incident.diagnosis.causes else ""


def _layer(incident: Incident) -> Layer:
    return incident.diagnosis.layers[0].layer if incident.diagnosis and incident.diagnosis.layers else Layer.UNKNOWN


def _of_the_sick(signal: Signal, incident: Incident, policy: CorrelatePolicy) -> bool:
    """Whether the signal is about just the diagnosed cohort of an incident that goes on, and it began after that.

    The whole application is, where nearly all of its calls are in the cohort: it has one new model, say. A user who is known to
    attack belongs to the campaign whenever they were seen.
    """
    diagnosis, segment = incident.diagnosis, signal.segment
    if incident.state is not State.OPEN or diagnosis is None:
        return False
    if segment.dimension == "user" and segment.value in {one.user for one in diagnosis.attackers}:
        return True
    after_ns = signal.onset_ns - incident.started_ns
    if not incident.cohort or not -_window_ns(signal, policy) <= after_ns <= policy.cohort_s * NS_PER_S:
        return False
    return incident.cohort == segment.conditions if segment.dimension else diagnosis.cohort_share >= EVERYBODY


def _accompanies(signal: Signal, incident: Incident, policy: CorrelatePolicy) -> bool:
    """Whether the signal began around the incident's onset, in the whole application or in the incident's cohort."""
    if abs(signal.onset_ns - incident.started_ns) > policy.window_s * NS_PER_S:
        return False
    segment = signal.segment
    if not segment.dimension:
        return True
    if incident.diagnosis is not None:
        return incident.cohort.get(segment.dimension) == segment.value
    return any(s.segment == segment for s in incident.signals if s.verdict is Verdict.FAILURE)


def nested(one: Segment, other: Segment) -> bool:
    """Whether one segment holds the other: they are the same, or one of them is the whole application."""
    return one == other or not one.dimension or not other.dimension


def disjoint(one: Segment, other: Segment) -> bool:
    """Whether no call can be in both: two values of one dimension."""
    return bool(one.dimension) and one.dimension == other.dimension and one.value != other.value


def _related(signal: Signal, other: Signal, incident: Incident, policy: CorrelatePolicy) -> Why | None:
    near = abs(signal.onset_ns - other.onset_ns) <= max(_window_ns(signal, policy), _window_ns(other, policy))
    same_metric = signal.metric == other.metric
    if same_metric and not disjoint(signal.segment, other.segment) and _goes_on(signal, other, incident, policy):
        return Why.SAME_STREAM
    if signal.spread is not None and other.spread is not None and signal.spread.same_calls(other.spread):
        return Why.SAME_CALLS
    if not near:
        return None
    if {e.trace_id for e in signal.exemplars} & {e.trace_id for e in other.exemplars}:
        return Why.SAME_CALLS
    if same_metric:
        return Why.SAME_METRIC
    if disjoint(signal.segment, other.segment):
        return None
    return Why.SAME_SEGMENT if nested(signal.segment, other.segment) else Why.SAME_TIME


def _window_ns(signal: Signal, policy: CorrelatePolicy) -> float:
    return policy.window_s * NS_PER_S + policy.window_share * max(signal.detected_ns - signal.onset_ns, 0)


def _goes_on(signal: Signal, other: Signal, incident: Incident, policy: CorrelatePolicy) -> bool:
    """Whether the incident was going on at the signal's onset, or had stopped no longer than the cool-down before.

    A thin segment that is seen later than the incident knows its onset badly: it may well seem to be the earlier one. Where it is
    known who is sick, and the segment is about something else, it is.
    """
    earlier = signal.onset_ns < other.onset_ns - _window_ns(signal, policy)
    if earlier and (signal.detected_ns < other.detected_ns or _of_others(signal, incident)):
        return False
    if other.id not in incident.cleared and incident.state is State.OPEN:
        return True
    stopped = incident.timestamps.get("mitigated")
    since = stopped.ns if stopped is not None and incident.state is State.MITIGATED else signal.detected_ns
    return signal.detected_ns - since <= policy.cool_down_s * NS_PER_S


def _of_others(signal: Signal, incident: Incident) -> bool:
    """Whether the signal's segment is of a dimension that the diagnosed cohort says nothing of: its calls may be others."""
    return bool(incident.diagnosis is not None and incident.cohort and signal.segment.dimension not in ("", *incident.cohort))


def _elsewhere(signal: Signal, incident: Incident) -> bool:
    """Whether the incident is known to be in another part: its failures lie in other values of the signal's dimension only.

    Where one dimension has signals of most of its values, the incident is not confined to them.
    """
    values = {
        s.segment.value
        for s in incident.signals
        if s.verdict is Verdict.FAILURE and s.segment.dimension == signal.segment.dimension
    }
    whole = any(not s.segment.dimension for s in incident.signals)
    return bool(signal.segment.dimension) and len(values) == 1 and signal.segment.value not in values and not whole
