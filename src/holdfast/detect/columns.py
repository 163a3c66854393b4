"""What is watched of a metric: each `Column` turns its values into numbers in [0, 1] of which large is bad."""

from collections.abc import Mapping
from functools import cached_property

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.score import Direction, Family, Metric, Unit
from holdfast.detect.policy import DetectPolicy

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Column(msgspec.Struct, frozen=True):
    """One way to watch a metric.

    `kind` is `score` (bounded values as they are), `outlier` (bounded values clearly worse than usual in the frozen
    reference), `sure` (bounded values that leave no doubt), `rank` (in the frozen reference of an amount) or `tail` (an amount
    beyond its extreme quantile); `falling` mirrors it, so that low values are bad.
    """

    metric: str
    kind: str
    falling: bool
    margin: float
    floor: float

    @property
    def detector(self) -> str:
        """Name of the detector, as shown on signals."""
        return f"sr_mixture_{self.kind}" + ("_down" if self.falling else "")


def columns_of(metric: Metric, policy: DetectPolicy) -> tuple[Column, ...]:
    """The columns of a metric; none where it only informs, or where a single event decides."""
    if metric.direction is Direction.INFORMATION or metric.hard:
        return ()
    both = metric.direction is Direction.BOTH
    sides = (False, True) if both else (metric.direction is Direction.DOWN_IS_WORSE,)
    if metric.unit is Unit.PROBABILITY:
        margin = policy.margin(metric.name, metric.margin)
        floor = policy.floors[min(max(metric.harm, 0), 3)]
        scores = tuple(Column(metric.name, "score", side, margin, floor) for side in sides)
        # A graded score that is usually 0.17 ± 0.04 and suddenly 0.6 in every tenth call hardly moves its mean.
        graded = not both and metric.harm > 0 and metric.family is not Family.OPERATIONS
        drifts = (policy.tail_margin, policy.outlier_floor) if sides[0] else (margin, floor)
        if not graded:
            return scores
        told = (*scores, Column(metric.name, "outlier", sides[0], *drifts))
        # Questions about attacks may be scored as half an attack all day long; that hides nothing that leaves no doubt.
        abuse = metric.name in policy.user_metrics and not sides[0]
        return (*told, Column(metric.name, "sure", False, policy.tail_margin, policy.sure_floor)) if abuse else told
    ranks = tuple(Column(metric.name, "rank", side, policy.rank_margin, 0.05) for side in sides)
    if False in sides:
        return (*ranks, Column(metric.name, "tail", False, policy.tail_margin, 0.02))
    return ranks


class ColumnArrays:
    """C columns of M metrics, as arrays."""

    def __init__(self, columns: list[Column], of_metric: list[tuple[int, ...]], abuse: list[bool]) -> None:
        self._columns = columns
        self._of_metric = of_metric
        self._abuse = abuse

    @cached_property
    def is_score(self) -> Bools:
        """Which columns take bounded values as they are (C)."""
        return np.array([column.kind == "score" for column in self._columns], np.bool_)

    @cached_property
    def falling(self) -> Bools:
        """Which columns are mirrored (C)."""
        return np.array([column.falling for column in self._columns], np.bool_)

    @cached_property
    def margin(self) -> Floats:
        """Margin of each column (C)."""
        return np.array([column.margin for column in self._columns], np.float64)

    @cached_property
    def floor(self) -> Floats:
        """Smallest rise of each column (C)."""
        return np.array([column.floor for column in self._columns], np.float64)

    @cached_property
    def scores(self) -> list[Ints]:
        """Columns of each metric (M) that take its values as they are, −1 for none: the first of each, then the second."""
        of_kind = [[c for c in columns if self.is_score[c]] for columns in self._of_metric]
        return [
            np.array([[*found, -1, -1][side] for found in of_kind], np.int64) for side in range(max(map(len, of_kind), default=0))
        ]

    @cached_property
    def heavy(self) -> Bools:
        """Which metrics have a column that needs a reference (M)."""
        return np.array([any(not self.is_score[c] for c in columns) for columns in self._of_metric], np.bool_)

    @cached_property
    def abuse(self) -> Ints:
        """Column of each metric (M) by which users are watched one by one, −1 for none."""
        first = [columns[0] if columns and self.is_score[columns[0]] else -1 for columns in self._of_metric]
        return np.where(np.array(self._abuse, np.bool_), np.array(first, np.int64), -1)


class ColumnTable:
    """Columns by number, in the order in which their metrics were first seen."""

    def __init__(self, metrics: Mapping[str, Metric], policy: DetectPolicy) -> None:
        self._metrics = metrics
        self._policy = policy
        self.columns: list[Column] = []
        self.names: list[str] = []
        self.of_metric: list[tuple[int, ...]] = []
        self._index: dict[str, int] = {}
        self._arrays: ColumnArrays | None = None

    @property
    def arrays(self) -> ColumnArrays:
        """The table as arrays, as of now."""
        if self._arrays is None:
            abuse = [name in self._policy.user_metrics for name in self.names]
            self._arrays = ColumnArrays(self.columns, self.of_metric, abuse)
        return self._arrays

    def metric_index(self, name: str) -> int:
        """Number of a metric, new ones being added; −1 where nobody defined it."""
        known = self._index.get(name)
        if known is not None:
            return known
        metric = self._metrics.get(name)
        if metric is None:
            # Not remembered: names that nobody defined may be as many as senders like.
            return -1
        added = columns_of(metric, self._policy)
        first = len(self.columns)
        self.columns.extend(added)
        self.of_metric.append(tuple(range(first, len(self.columns))))
        self.names.append(name)
        self._arrays = None
        self._index[name] = len(self.names) - 1
        return self._index[name]

    def find(self, name: str) -> int:
        """Number of a metric that was seen, −1 for others."""
        return self._index.get(name, -1)

    def metric(self, name: str) -> Metric:
        """The metric of that name, which must be defined."""
        return self._metrics[name]
