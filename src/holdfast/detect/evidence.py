"""What a signal shows: the worst calls, who was hurt, and whether the traffic's mix explains it. Bounded rings."""

from collections import deque
from collections.abc import Collection, Iterable
from itertools import takewhile

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.signal import Exemplar

MAX_TRACES = 1024
MAX_ASKED = 4096
MAX_BAD = 256
MAX_EXEMPLARS = 5


class BadCall(msgspec.Struct, frozen=True, array_like=True):
    """A call that a metric found bad: how bad in [0, 1], where, and why."""

    time_ns: int
    badness: float
    trace_id: str
    span_id: str
    why: str
    segments: tuple[int, ...]
    user: str


Floats = npt.NDArray[np.float64]
Seen = tuple[int, tuple[int, ...]]
"""A trace, for the mix of traffic: event time and segments."""


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """A request whose question is of a known kind: when it came, where, and what each column said of it.

    `x` holds float16, one for each column that there was, NaN where it said nothing.
    """

    time_ns: int
    kind: int
    segments: tuple[int, ...]
    x: bytes


class _State(msgspec.Struct):
    traces: dict[int, list[Seen]]
    bad: list[tuple[int, int, list[BadCall]]]
    asked: dict[int, list[Asked]]


class Evidence:
    """Remembers recent traces per application, those of them with a kind of question, and recent bad calls per column."""

    def __init__(self) -> None:
        self._traces: dict[int, deque[Seen]] = {}
        self._bad: dict[tuple[int, int], deque[BadCall]] = {}
        self._asked: dict[int, deque[Asked]] = {}

    def saw(self, app: int, traces: Iterable[Seen]) -> None:
        """Traces of an application came."""
        ring = self._traces.get(app)
        if ring is None:
            ring = self._traces[app] = deque(maxlen=MAX_TRACES)
        ring.extend(traces)

    def found(self, app: int, column: int, call: BadCall) -> None:
        """A bad call came."""
        ring = self._bad.get((app, column))
        if ring is None:
            ring = self._bad[app, column] = deque(maxlen=MAX_BAD)
        ring.append(call)

    def was_asked(self, app: int, request: Asked) -> None:
        """A request came whose question is of a known kind."""
        ring = self._asked.get(app)
        if ring is None:
            ring = self._asked[app] = deque(maxlen=MAX_ASKED)
        ring.append(request)

    def asked(
        self, app: int, column: int, segment: int, since_ns: int = 0
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
        """Time (ns), kind and x of the recent requests of a segment of which this column said something, oldest first."""
        first, end, ring = 2 * column, 2 * column + 2, self._asked.get(app, ())
        late = [*takewhile(lambda request: request.time_ns >= since_ns, reversed(ring))][::-1] if since_ns else ring
        of = [a for a in late if (segment == app or segment in a.segments) and len(a.x) > first]
        x = np.frombuffer(b"".join([a.x[first:end] for a in of]), np.float16).astype(np.float64)
        told = ~np.isnan(x)
        times, kinds = np.array([a.time_ns for a in of], np.int64), np.array([a.kind for a in of], np.int64)
        return times[told], kinds[told], x[told]

    def bad_between(self, app: int, column: int, segment: int, period_ns: tuple[int, int]) -> list[BadCall]:
        """Bad calls of a segment in a period (both ends included), worst first, one per trace."""
        first, last = period_ns
        ring = self._bad.get((app, column), ())
        calls = [c for c in ring if first <= c.time_ns <= last and (segment == app or segment in c.segments)]
        calls.sort(key=lambda c: (-c.badness, -c.time_ns, c.span_id))
        worst: dict[str, BadCall] = {}
        for call in calls:
            worst.setdefault(call.trace_id, call)
        return list(worst.values())

    def recent(self, app: int) -> list[tuple[int, ...]]:
        """Segments of each recent trace of an application, oldest first."""
        return [segments for _, segments in self._traces.get(app, ())]

    def traces_between(self, app: int, segment: int, period_ns: tuple[int, int]) -> list[tuple[int, ...]]:
        """Segments of each recent trace of a segment in a period (both ends included), newest first."""
        first, last = period_ns
        found = list[tuple[int, ...]]()
        for time_ns, segments in reversed(self._traces.get(app, ())):
            if time_ns < first:
                break
            if time_ns <= last and (segment == app or segment in segments):
                found.append(segments)
        return found

    def forget(self, segments: Collection[int]) -> None:
        """Nothing that is remembered belongs to these segments any more: others get their numbers."""
        gone = frozenset(segments)
        for traces in self._traces.values():
            for at, (time_ns, of) in enumerate(traces):
                if not gone.isdisjoint(of):
                    traces[at] = time_ns, _without(of, gone)
        for calls in self._bad.values():
            for at, call in enumerate(calls):
                if not gone.isdisjoint(call.segments):
                    calls[at] = msgspec.structs.replace(call, segments=_without(call.segments, gone))
        for requests in self._asked.values():
            for at, request in enumerate(requests):
                if not gone.isdisjoint(request.segments):
                    requests[at] = msgspec.structs.replace(request, segments=_without(request.segments, gone))

    def drop(self, app: int) -> None:
        """Forget all that is remembered of an application."""
        self._traces.pop(app, None)
        self._asked.pop(app, None)
        self._bad = {key: ring for key, ring in self._bad.items() if key[0] != app}

    def state(self) -> bytes:
        """For a snapshot."""
        return msgspec.msgpack.encode(
            _State(
                {app: list(ring) for app, ring in self._traces.items()},
                [(a, c, list(ring)) for (a, c), ring in self._bad.items()],
                {app: list(ring) for app, ring in self._asked.items()},
            )
        )

    def load(self, state: bytes) -> None:
        """Take over what `state` gave."""
        plain = msgspec.msgpack.decode(state, type=_State)
        self._traces = {app: deque(ring, maxlen=MAX_TRACES) for app, ring in plain.traces.items()}
        self._bad = {(app, column): deque(ring, maxlen=MAX_BAD) for app, column, ring in plain.bad}
        self._asked = {app: deque(ring, maxlen=MAX_ASKED) for app, ring in plain.asked.items()}


def _without(segments: tuple[int, ...], gone: frozenset[int]) -> tuple[int, ...]:
    return tuple([segment for segment in segments if segment not in gone])


def exemplars(calls: list[BadCall]) -> tuple[Exemplar, ...]:
    """The first few as exemplars."""
    return tuple(Exemplar(c.trace_id, c.span_id, c.why) for c in calls[:MAX_EXEMPLARS])
