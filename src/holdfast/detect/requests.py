"""Calls of one request that carry the same dimensions count once: a request that loops is one bad request, not eight."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from holdfast.core.score import Direction, Metric, Unit
from holdfast.detect.batch import Batch
from holdfast.detect.columns import ColumnTable

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def once(batch: Batch, table: ColumnTable) -> Batch:
    """The batch with one place for each request and set of dimensions, and one score of a metric there.

    What several calls say of a probability is what the worst of them says, of an amount their mean. They fail together: counted
    one by one they would be evidence many times over. The places are of the first of these calls.
    """
    if (np.diff(batch.trace) > 0).all():
        return batch
    profiles = int(batch.dimensions.max(initial=0)) + 1
    _, first, merged = np.unique(batch.trace * profiles + batch.dimensions, return_index=True, return_inverse=True)
    if len(first) == len(batch.trace):
        return batch
    # In order of arrival, as they were.
    order = np.argsort(first, kind="stable")
    number = np.empty_like(order)
    number[order] = np.arange(len(order))
    first = first[order]
    kept, value = _combined(batch, number[merged][batch.place], table)
    return replace(
        batch,
        scores=[batch.scores[row] for row in kept.tolist()],
        metric=batch.metric[kept],
        value=value,
        place=number[merged][batch.place[kept]],
        trace=batch.trace[first],
        dimensions=batch.dimensions[first],
        ended_ns=batch.ended_ns[first],
    )


def _combined(batch: Batch, place: Ints, table: ColumnTable) -> tuple[Ints, Floats]:
    """Of the scores of each place and metric the row that stands for them, in order of arrival, and the value that it gets."""
    metrics = [table.metric(name) for name in table.names]
    sign = np.array([-1.0 if metric.direction is Direction.DOWN_IS_WORSE else 1.0 for metric in metrics])
    mean = np.array([_is_mean(metric) for metric in metrics], np.bool_)
    key = place * len(metrics) + batch.metric
    worst_last = np.lexsort((np.arange(len(key))[::-1], batch.value * sign[batch.metric], key))
    _, group = np.unique(key[worst_last], return_inverse=True)
    ends = np.append(np.flatnonzero(np.diff(group)), len(group) - 1)
    kept = worst_last[ends]
    count = np.bincount(group)
    average = np.bincount(group, weights=batch.value[worst_last]) / count
    value = np.where(mean[batch.metric[kept]], average, batch.value[kept])
    arrived = np.argsort(kept, kind="stable")
    return kept[arrived], value[arrived]


def _is_mean(metric: Metric) -> bool:
    return metric.unit is not Unit.PROBABILITY or metric.direction is Direction.BOTH
