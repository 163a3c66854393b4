"""Segments with the traffic of another one: they could only say the same twice, so they have no streams of their own."""

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import chain

import numpy as np

SAME, DIFFERENT = 0.98, 0.95
"""Share of the larger one's traces that both hold: from the first they are twins, under the second no longer."""

MIN_TRACES = 60
"""Traces of a segment, among those looked at, under which nothing is said of it."""


def twins_of(
    traces: Sequence[tuple[int, ...]], before: dict[int, int], keep: Collection[int], order: Sequence[int]
) -> dict[int, int]:
    """Segment → the one that speaks for it, from the segments of recent traces of one application.

    `before` is what was said last time, `keep` are segments that must keep their streams, `order` gives each segment
    a rank: of twins the one with the lowest rank speaks. What was paired and is not seen any more stays paired.
    """
    counts = Counter(traces)
    many = np.fromiter(map(len, counts), np.int64, len(counts))
    flat = np.fromiter(chain.from_iterable(counts), np.int64, int(many.sum()))
    seen, where = np.unique(flat, return_inverse=True)
    holds = np.zeros((len(counts), len(seen)), np.float64)
    holds[np.repeat(np.arange(len(counts)), many), where] = 1.0
    weights = np.fromiter(counts.values(), np.float64, len(counts))
    both = (holds * weights[:, None]).T @ holds
    size = both.diagonal()
    alike = (both / np.maximum(np.maximum(size[:, None], size[None, :]), 1.0)).tolist()
    at = {segment: i for i, segment in enumerate(seen.tolist())}
    found = {segment: twin for segment, twin in before.items() if segment not in at}
    ranked = sorted(at, key=order.__getitem__)
    for place, segment in enumerate(ranked):
        if segment in keep or (size[at[segment]] < MIN_TRACES and segment not in before):
            continue
        for other in ranked[:place]:
            needed = DIFFERENT if before.get(segment) == other else SAME
            if other not in found and alike[at[segment]][at[other]] >= needed:
                found[segment] = other
                break
    return found
