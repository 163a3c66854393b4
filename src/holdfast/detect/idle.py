"""What to forget: values of dimensions that no call has any more, so that others get their place."""

from collections.abc import Collection

import numpy as np

from holdfast.core.clock import NS_PER_S
from holdfast.detect.watch import Watch

NS_PER_DAY = 86_400 * NS_PER_S
ROOM = 0.1
"""Share of all streams, or segments, that is made free where there is no room."""


def forget_idle(watch: Watch) -> frozenset[int]:
    """Forget segments that were idle for `DetectPolicy.idle_days`, and more of them where there is no room; returns which.

    Never whole applications, segments that have alarmed, nor those that a segment that stays is compared with.
    """
    policy = watch.ground.policy
    idle_ns = _idle_ns(watch)
    gone = _without_needed(watch, [s for s, idle in idle_ns.items() if idle > policy.idle_days * NS_PER_DAY])
    if watch.crowded or watch.ground.index.full:
        candidates = sorted((s for s, idle in idle_ns.items() if idle > policy.late_s * NS_PER_S), key=lambda s: (-idle_ns[s], s))
        gone = _without_needed(watch, [*gone, *_enough(watch, candidates)])
    if gone:
        watch.release(gone)
    return gone


def forget_applications(watch: Watch, applications: Collection[int]) -> tuple[frozenset[int], frozenset[int]]:
    """Forget all streams and segments of these applications; returns those forgotten, and their segments, whose numbers are free.

    One that has alarmed stays as it is. The application keeps its own number, which costs next to nothing.
    """
    app_of = watch.ground.index.app
    busy = {app_of[int(watch.streams.segment[row])] for row in watch.alarms}
    gone = frozenset(applications) - busy
    segments = frozenset([number for number, app in enumerate(app_of) if app in gone and number != app])
    watch.release(segments)
    for app in sorted(gone):
        watch.vacate(app)
    return gone, segments


def _idle_ns(watch: Watch) -> dict[int, int]:
    """How long each segment was not seen, in event time of its application, where that may matter."""
    index = watch.ground.index
    busy = {int(watch.streams.segment[row]) for row in watch.alarms}
    return {
        number: index.last_ns[app] - index.last_ns[number]
        for number, app in enumerate(index.app)
        if number != app and number not in busy
    }


def _enough(watch: Watch, candidates: list[int]) -> list[int]:
    """As many of these segments, the first ones first, as make room."""
    s, policy = watch.streams, watch.ground.policy
    held = np.bincount(s.segment[: s.size][s.segment[: s.size] >= 0], minlength=len(watch.ground.index.segments))
    streams = np.cumsum(held[candidates])
    by_streams = int(np.searchsorted(streams, ROOM * policy.max_streams)) + 1
    by_segments = int(ROOM * len(watch.ground.index.segments)) + 1
    return candidates[: max(by_streams, by_segments)]


def _without_needed(watch: Watch, segments: Collection[int]) -> frozenset[int]:
    """Those of the segments that no other segment needs: as twin, as home, or as parent of its streams."""
    s, gone = watch.streams, set(segments)
    above = np.where(s.parent[: s.size] >= 0, s.segment[s.parent[: s.size]], -1)
    index = watch.ground.index
    pairs = {*zip(s.segment[: s.size].tolist(), above.tolist(), strict=True), *index.twins.items(), *index.home.items()}
    while True:
        needed = {parent for child, parent in pairs if parent in gone and child not in gone}
        if not needed:
            return frozenset(gone)
        gone -= needed
