"""`MemoryTelemetry`: the telemetry store's questions answered from lists in memory."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from holdfast.core.call import Dimensions
from holdfast.core.change import Change
from holdfast.core.observations import Observations
from holdfast.core.trace import ScoredTrace

_Row = tuple[int, str, str, float, Dimensions]


class MemoryTelemetry:
    """Implements `core.observations.Telemetry` without a store.

    A score is kept once by (trace_id, span_id, metric, scorer): the last one told wins, as in the store.
    """

    def __init__(self, scored: Iterable[ScoredTrace] = (), changes: Iterable[Change] = ()) -> None:
        self._rows: dict[tuple[str, str], dict[tuple[str, str, str], _Row]] = defaultdict(dict)
        self._columns: dict[tuple[str, str], Observations] = {}
        self._changes: list[tuple[int, str, str, Change]] = []
        self.append(scored)
        self.append_changes(changes)

    def append(self, scored: Iterable[ScoredTrace]) -> None:
        """Keep the scores of these traces, each at the end of the call that it is about."""
        for one in scored:
            calls = {call.span_id: call for call in one.trace.calls}
            for score in one.scores:
                call = calls.get(score.span_id, one.trace.root)
                key = (call.service, score.metric)
                row = (call.end_ns, score.trace_id, score.span_id, score.value, call.dimensions)
                self._rows[key][score.trace_id, score.span_id, score.scorer] = row
                self._columns.pop(key, None)

    def flush(self) -> None:
        """Nothing is ever gathered."""

    def append_changes(self, changes: Iterable[Change]) -> None:
        """Keep these changes, each once by (source, id)."""
        known = {(source, id_) for _, source, id_, _ in self._changes}
        for change in changes:
            if (change.source, change.id) not in known:
                known.add((change.source, change.id))
                insort(self._changes, (change.time_ns, change.source, change.id, change))

    def observations(self, service: str, metrics: Sequence[str], start_ns: int, end_ns: int) -> dict[str, Observations]:
        """Scores of these metrics in [start_ns, end_ns), oldest first; zero rows where there are none."""
        return {metric: self._all(service, metric).between(start_ns, end_ns) for metric in metrics}

    def changes(self, start_ns: int, end_ns: int) -> list[Change]:
        """Changes in [start_ns, end_ns), oldest first."""
        return [change for time_ns, _, _, change in self._changes if start_ns <= time_ns < end_ns]

    def _all(self, service: str, metric: str) -> Observations:
        key = (service, metric)
        if key not in self._columns:
            rows = sorted(self._rows[key].values(), key=lambda row: row[:3]) if key in self._rows else []
            self._columns[key] = Observations.of(
                metric=metric,
                time_ns=np.array([row[0] for row in rows], dtype=np.int64),
                value=np.array([row[3] for row in rows], dtype=np.float64),
                trace_id=[row[1] for row in rows],
                span_id=[row[2] for row in rows],
                dimensions=[row[4] for row in rows],
            )
        return self._columns[key]
