"""Telemetry in memory."""

from collections.abc import Sequence

import numpy as np

from holdfast.core.change import Change
from holdfast.core.observations import Observations


class FakeTelemetry:
    """Holds what it is given and answers as the store does: every metric that was asked for has columns, maybe empty ones."""

    def __init__(self, *observations: Observations) -> None:
        self._by_metric = {o.metric: o for o in observations}

    def observations(self, service: str, metrics: Sequence[str], start_ns: int, end_ns: int) -> dict[str, Observations]:
        return {name: self._of(name).between(start_ns, end_ns) for name in metrics}

    def changes(self, start_ns: int, end_ns: int) -> list[Change]:
        return []

    def _of(self, name: str) -> Observations:
        empty = Observations.of(
            metric=name, time_ns=np.empty(0, np.int64), value=np.empty(0), trace_id=[], span_id=[], dimensions=[]
        )
        return self._by_metric.get(name, empty)
