"""What is learnt between chunks: baselines from healthy calls only, thresholds from the budget, how much siblings differ."""

import numpy as np
import numpy.typing as npt

from holdfast.core.call import DIMENSIONS
from holdfast.detect.baseline import sibling_strengths
from holdfast.detect.budget import FEWEST_A_DAY, NS_PER_DAY, Spent
from holdfast.detect.streams import ALARMED, LEARNING, WATCHING, XX, N, X
from holdfast.detect.watch import Watch

Ints = npt.NDArray[np.int64]

COMPANION = 1
"""Which CUSUM decides what was healthy: that of the second ratio."""
CALM = 0.1
"""Power of the threshold from which the companion CUSUM is suspicious: with the usual thresholds, an e-value of about 5."""
REFRESH_GROWTH = 0.05
SELDOM = 0.2
SIBLINGS_EVERY = 16


def learn(watch: Watch, touched: Ints) -> Spent:
    """Update the streams that had observations; returns what of the budget they spent since the last time."""
    _commit(watch, touched)
    _promote(watch, touched)
    s = watch.streams
    grown = np.abs(s.base[touched, N] - s.refreshed[touched]) > REFRESH_GROWTH * np.maximum(s.refreshed[touched], 1.0)
    watch.refresh(touched[grown & (s.mode[touched] == WATCHING)])
    return _thresholds(watch, touched)


def _commit(watch: Watch, rows: Ints) -> None:
    """Take into the baseline what came before the companion CUSUM last was at zero: what follows may be an incident."""
    s = watch.streams
    learning, watching = rows[s.mode[rows] == LEARNING], rows[s.mode[rows] == WATCHING]
    s.base[learning] += s.totals[learning] - s.committed[learning]
    s.committed[learning] = s.totals[learning]
    healthy = s.zero[watching, COMPANION, :4]
    # A young baseline that is too low by luck would never see its CUSUM at zero again: it learns on until that is suspicious.
    calm = s.cusum[watching, COMPANION] < s.threshold[watching] ** CALM
    # What a new value must be as good as is known already: it learns from nothing but what was as good.
    young = calm & (s.base[watching, N] < watch.ground.policy.unsettled_calls) & (s.held[watching] == 0)
    healthy = np.where(young[:, None], s.totals[watching], healthy)
    newer = healthy[:, N] > s.committed[watching, N]
    watching, healthy = watching[newer], healthy[newer]
    s.base[watching] += healthy - s.committed[watching]
    s.committed[watching] = healthy
    excess = s.base[rows, N] / watch.ground.policy.memory_calls
    s.base[rows] /= np.maximum(excess, 1.0)[:, None]


def _promote(watch: Watch, rows: Ints) -> None:
    """Let streams alarm whose baseline is known well enough."""
    s, policy = watch.streams, watch.ground.policy
    learning = rows[s.mode[rows] == LEARNING]
    if not len(learning):
        return
    whole = learning[s.parent[learning] < 0]
    # A metric that is seldom told must not wait until its application has long been known.
    traffic = _traffic(watch, whole)
    seldom = (traffic >= policy.settled_calls) & (s.totals[whole, N] < SELDOM * traffic)
    ready = whole[s.base[whole, N] >= np.where(seldom, policy.min_seldom_calls, policy.min_calls)]
    s.mode[ready] = WATCHING
    parts = learning[s.parent[learning] >= 0]
    parts = parts[s.mode[s.parent[parts]] != LEARNING]
    known = s.base[parts, N] >= policy.min_segment_calls
    parts = parts[known | np.array([watch.is_abuse(row) for row in parts.tolist()], bool)]
    s.mode[parts] = WATCHING
    fresh = np.concatenate((ready, parts))
    s.refreshed[fresh] = -1.0
    # What it learnt from could raise no alarm, and has cost nothing.
    s.spent_at[fresh] = s.totals[fresh, N]
    s.restart(fresh)


def _traffic(watch: Watch, rows: Ints) -> npt.NDArray[np.float64]:
    """Calls of the busiest stream of the application of each of these streams."""
    s, size = watch.streams, watch.streams.size
    app = watch.ground.index.arrays.app
    busiest = np.zeros(len(app))
    np.maximum.at(busiest, app[s.segment[:size]], s.totals[:size, N])
    return np.asarray(busiest[app[s.segment[rows]]], np.float64)


def _thresholds(watch: Watch, rows: Ints) -> Spent:
    """Threshold n·K/A of each stream, and what its observations since the last time have spent at the one that was in force."""
    s = watch.streams
    rows = rows[s.mode[rows] != LEARNING]
    days = np.maximum((s.last_ns[rows] - s.first_ns[rows]) / NS_PER_DAY, 1.0)
    daily = np.maximum(s.totals[rows, N] / days, FEWEST_A_DAY)
    watching = s.mode[rows] == WATCHING
    spent = np.where(watching, s.totals[rows, N] - s.spent_at[rows], 0.0) / s.threshold[rows]
    first = s.last_ns[rows] - s.first_ns[rows] < NS_PER_DAY
    s.spent_at[rows] = s.totals[rows, N]
    s.threshold[rows] = daily / watch.budgets(rows)
    return Spent(float(spent[first].sum()), float(spent[~first].sum()))


def compare_siblings(watch: Watch) -> None:
    """Estimate for each application, column and dimension how much its values differ."""
    s, arrays, columns = watch.streams, watch.ground.index.arrays, len(watch.ground.table.columns)
    rows = np.flatnonzero((s.parent[: s.size] >= 0) & (s.mode[: s.size] != ALARMED))
    segment, column = s.segment[rows], s.column[rows]
    key = (arrays.app[segment] * len(DIMENSIONS) + arrays.dimension[segment]) * columns + column
    keys, group, many = np.unique(key, return_inverse=True, return_counts=True)
    strengths = sibling_strengths(group, s.base[rows, N], s.base[rows, X], s.base[rows, XX])
    for number, strength in zip(keys[many >= 2].tolist(), strengths[many >= 2].tolist(), strict=True):
        at, of = divmod(number, columns)
        app, dimension = divmod(at, len(DIMENSIONS))
        watch.strengths[app, of, DIMENSIONS[dimension]] = strength
