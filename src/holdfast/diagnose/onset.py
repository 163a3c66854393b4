"""When the failure began inside its cohort: the split of the calls that health explains worst from then on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.core.clock import NS_PER_S
from holdfast.diagnose.badness import Watched
from holdfast.diagnose.frame import Bools, Floats, Ints

LEAST_BAD_CALLS = 5
STEPS = 512
NATURAL_NATS, NATURAL_SHARE = 4.0, 0.05
"""So much less evidence than at its best, in nats or as a share of it, is nearly as good: what health lets expect is not known
better than that, and the longer a failure goes on, the more nats that is.
"""


@dataclass(frozen=True)
class Onset:
    """Estimated beginning, ns since the epoch, its standard error in ns, and the evidence for it in nats."""

    time_ns: int
    error_ns: int
    evidence: float


def estimate(
    watched: Sequence[Watched], inside: Bools, within_ns: tuple[int, int], guess_ns: int, natural: Sequence[int] = ()
) -> Onset:
    """Where `O ln(O/E) - (O - E)` of all later calls of the cohort, summed over metrics, is largest.

    The sum is divided by the root of the number of metrics.

    Args:
        watched: the metrics that failed.
        inside: which of the frame's calls are in the cohort.
        within_ns: not before the first, not after the second: it was seen by then. Later calls count as evidence.
        guess_ns: the detectors' estimate, taken where there is nothing to say.
        natural: times at which something began inside the cohort (its first call with a new value): the one with most evidence
            is taken where that is nearly as good as at its best. Where several are, the error spans them.
    """
    earliest_ns, latest_ns = within_ns
    guess_ns = min(guess_ns, latest_ns)
    rows = [(w, inside[w.column.call] & (w.column.time_ns >= earliest_ns)) for w in watched]
    times = np.unique(np.concatenate([w.column.time_ns[m] for w, m in rows] or [np.zeros(0, dtype=np.int64)]))
    if times.size < LEAST_BAD_CALLS or times[0] > latest_ns:
        return Onset(guess_ns, 600 * NS_PER_S, 0.0)
    times = times[times <= latest_ns]
    if times.size > STEPS:
        times = times[np.linspace(0, times.size - 1, STEPS).astype(int)]
    total: Floats = np.zeros(times.size)
    for w, mask in rows:
        total = total + _evidence(times, w.column.time_ns[mask], w.observed[mask], w.expected[mask]) / w.dispersion
    # Metrics of one failure fail in the same calls: as in the cohort scan, they are not so many witnesses.
    total = total / np.sqrt(len(rows))
    best = int(total.argmax())
    if total[best] < 3.0:
        return Onset(guess_ns, 600 * NS_PER_S, float(total[best]))
    near = np.flatnonzero(total >= total[best] - 2.0)
    early, late = int(times[near[0]]), int(times[near[-1]])
    gap = (int(times[-1]) - int(times[0])) // times.size
    error = max((late - early) // 4 + gap, 15 * NS_PER_S)
    least = total[best] - max(NATURAL_NATS, NATURAL_SHARE * total[best])
    places = [at for at in np.searchsorted(times, natural).tolist() if at < times.size and total[at] >= least]
    if places:
        best = max(places, key=lambda at: float(total[at]))
        error = max(error, (int(times[max(places)]) - int(times[min(places)])) // 2)
    return Onset(int(times[best]), error, float(total[best]))


def _evidence(starts: Ints, time_ns: Ints, observed: Floats, expected: Floats) -> Floats:
    first = np.searchsorted(time_ns, starts, "left")
    o = np.append(np.cumsum(observed[::-1])[::-1], 0.0)[first]
    e = np.maximum(np.append(np.cumsum(expected[::-1])[::-1], 0.0)[first], 1e-6)
    value = o * np.log(np.maximum(o / e, 1e-12)) - (o - e)
    return np.where(o > e, value, 0.0)
