"""Which scores have counted already: a ring of recent traces, a few hundred bytes each whatever their ids are."""

from array import array
from collections import deque
from collections.abc import Sequence
from hashlib import blake2b

import msgspec

LONGEST = 32
"""Characters of an id that are kept as they are, which OpenTelemetry's need; of a longer one a hash of as many is kept."""


class Recognised:
    """Remembers, of the last so many traces, which metric of which span has counted.

    Of a trace that comes again only the scores that are new count; it keeps its place in the ring.
    """

    def __init__(self, traces: int) -> None:
        self._size = traces
        self._known: dict[str, _Counted] = {}
        self._ring: deque[str] = deque()

    def fresh(self, trace_id: str, spans: Sequence[str], metrics: bytes, distinct: bool) -> list[int] | None:
        """Which of these scores of a trace did not count before, by position; None where none of them did.

        `metrics` are their metrics as packed by `pack`; `distinct` says that no metric is in it twice.
        """
        trace = _short(trace_id)
        before = self._known.get(trace)
        one = not spans or spans.count(spans[0]) == len(spans)
        new = _Counted(metrics, (_short(spans[0]),), b"") if spans and one else _counted(spans, metrics)
        if before is None:
            self._ring.append(trace)
            if len(self._ring) > self._size:
                del self._known[self._ring.popleft()]
            if (one and distinct) or len(new.keys()) == len(set(new.keys())):
                self._known[trace] = new
                return None
            before = _Counted(b"", (), b"")
        keys = before.keys()
        done, found = set(keys), list[int]()
        for position, key in enumerate(new.keys()):
            if key not in done:
                done.add(key)
                keys.append(key)
                found.append(position)
        self._known[trace] = _counted([span for span, _ in keys], pack([metric for _, metric in keys]))
        return found

    def state(self) -> list[tuple[str, bytes, tuple[str, ...], bytes]]:
        """Trace, metrics, spans, and which span each metric was told of, of each trace, oldest first."""
        return [(trace, *msgspec.structs.astuple(self._known[trace])) for trace in self._ring]

    def load(self, state: list[tuple[str, bytes, tuple[str, ...], bytes]]) -> None:
        """Take over what `state` gave."""
        shared: dict[bytes, bytes] = {}
        kept = state[-self._size :]
        self._known = {trace: _Counted(shared.setdefault(metrics, metrics), spans, of) for trace, metrics, spans, of in kept}
        self._ring = deque([trace for trace, *_ in kept])


class _Counted(msgspec.Struct, frozen=True, gc=False):
    """Scores of a trace: their metrics, packed; its spans; and which of these each score is of, packed, where it has several."""

    metrics: bytes
    spans: tuple[str, ...]
    of: bytes

    def keys(self) -> list[tuple[str, int]]:
        """Span and metric of each score."""
        metrics = array("H", self.metrics)
        if len(self.spans) == 1:
            return [(self.spans[0], metric) for metric in metrics]
        return [(self.spans[at], metric) for at, metric in zip(array("H", self.of), metrics, strict=True)]


def _counted(spans: Sequence[str], metrics: bytes) -> _Counted:
    """Scores of these spans, one by one."""
    short = {span: _short(span) for span in dict.fromkeys(spans)}
    place = {span: at for at, span in enumerate(dict.fromkeys(short.values()))}
    return _Counted(metrics, tuple(place), pack([place[short[span]] for span in spans]) if len(place) > 1 else b"")


def pack(numbers: Sequence[int]) -> bytes:
    """Numbers as two bytes each; of metrics, all that nobody defined (−1) are one."""
    return array("H", [number & 0xFFFF for number in numbers]).tobytes()


def _short(text: str) -> str:
    return text if len(text) <= LONGEST and text.isascii() else _hash(text)


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=LONGEST // 2).hexdigest()
