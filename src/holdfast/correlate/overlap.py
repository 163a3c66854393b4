"""Whether a signal's bad calls are others than those of an incident: two faults at once must not become one."""

from collections.abc import Sequence

from holdfast.core.clock import NS_PER_S
from holdfast.core.incident import Incident
from holdfast.core.signal import Signal, Verdict
from holdfast.core.spread import HALF, LEAST_CALLS, SURE
from holdfast.correlate.policy import CorrelatePolicy


def related(signal: Signal, incidents: Sequence[Incident], policy: CorrelatePolicy) -> list[str]:
    """Ids of those incidents whose bad calls may be the signal's.

    Where none holds most of its bad calls, but all together do, it is a segment that several faults run through: then that
    of the incident that holds the largest part.
    """
    own = [incident for incident in incidents if not of_others(signal, incident, policy)]
    if own or signal.spread is None or not incidents:
        return [incident.id for incident in own]
    shares = [signal.spread.share(incident.cohort) if incident.cohort else 0.0 for incident in incidents]
    largest = max(range(len(shares)), key=shares.__getitem__)
    return [incidents[largest].id] if sum(shares) >= HALF * signal.spread.beyond else []


def of_others(signal: Signal, incident: Incident, policy: CorrelatePolicy) -> bool:
    """Whether the signal is about calls that the incident is not about, so that it cannot have the same cause.

    Hardly any of the signal's bad calls lie where the incident is, nor do those of the incident lie in the signal's segment, as
    they would where the incident is known by a corner of who is hurt. Where the incident is, a sure diagnosis says; without one
    the segments of its signals do, for a metric that it does not have yet and that began at another time.
    """
    spread, segment = signal.spread, signal.segment
    failing = [s for s in incident.signals if s.verdict is Verdict.FAILURE]
    # Signals of the whole application may have been raised by both.
    sick = [s for s in failing if s.segment.dimension] or failing
    known = [s.spread for s in sick if s.spread is not None and s.spread.calls >= LEAST_CALLS]
    if spread is None or not segment.dimension or not known or not all(s.outside(segment.conditions) for s in known):
        return False
    if incident.cohort and incident.diagnosis is not None and incident.diagnosis.cohort_confidence >= SURE:
        return spread.outside(incident.cohort)
    apart_ns = min(abs(signal.onset_ns - s.onset_ns) for s in sick)
    if apart_ns <= policy.window_s * NS_PER_S or signal.metric in {s.metric for s in incident.signals}:
        return False
    return all(spread.outside(s.segment.conditions) for s in sick)
