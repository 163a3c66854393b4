"""`CorrelatePolicy`: what belongs together, how long to wait, how bad is how bad."""

import msgspec


class CorrelatePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of correlation. Times are seconds of event time.

    Args:
        window_s: onsets that are no farther apart than this may have one cause.
        window_share: share of a signal's own time to detection that is added to it: slow streams know their onset less well.
        hold_s: quiet that makes an incident mitigated once all its failures have cleared.
        cool_down_s: quiet that makes a mitigated incident resolved; a fault that comes back before reopens it.
        follows_s: a fault that comes back within this after an incident was resolved refers to it.
        declined_s: a person said that it was no incident: the same metric and segment stay silent for so long.
        merge_s: open incidents of the same diagnosed cohort whose onsets are no farther apart are one.
        cohort_s: so long after an incident's onset a further failure of its diagnosed cohort is of the same cause, and incidents
            whose diagnoses agree are merged.
        signals_per_metric: failing segments of one metric that an incident shows before its cohort is known.
        waiting_signals: anomalies at most that wait for an incident to join.
        many_users, many_calls: users or bad calls from which an incident is a step more severe.
        wide_rate: share of calls of a whole application from which it is a step more severe.
    """

    window_s: float = 600.0
    window_share: float = 0.5
    hold_s: float = 300.0
    cool_down_s: float = 7200.0
    follows_s: float = 7 * 86_400.0
    declined_s: float = 86_400.0
    merge_s: float = 1200.0
    cohort_s: float = 6 * 3600.0
    signals_per_metric: int = 3
    waiting_signals: int = 256
    many_users: int = 50
    many_calls: int = 200
    wide_rate: float = 0.2
