"""Which scores have counted already: a ring of recent traces, a few hundred bytes each whatever their ids are."""

from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import accumulate, chain, pairwise, repeat

LONGEST = 32
"""Characters of an id that are kept as they are, which OpenTelemetry's need; of a longer one a hash of as many is kept."""

_Counted = tuple[bytes, tuple[str, ...] | str, bytes]
"""Scores of a trace: their metrics, packed; their span, or spans; and of several spans which one each is of, packed."""


class Recognised:
    """Remembers, of the last so many traces, which metric of which span has counted.

    Of a trace that comes again only the scores that are new count; it keeps its place in the ring.
    """

    def __init__(self, traces: int) -> None:
        self._size = traces
        self._known: dict[str, _Counted] = {}
        self._ring: deque[str] = deque()

    def fresh(
        self, traces: Sequence[str], spans: list[str], lengths: Sequence[int], metrics: Sequence[tuple[bytes, bool]]
    ) -> dict[int, list[int]]:
        """Which scores of these traces did not count before, by position, of those traces of which not all count.

        `traces` are T ids; `spans` those of their scores, one trace after the other, of which each has so many of `lengths`;
        `metrics` the metrics of each trace's scores, packed by `pack`, and whether no metric is among them twice.
        """
        ids, bounds = _all_short(traces), [0, *accumulate(lengths)]
        # Nearly always all are new, and the scores of a trace are about one call.
        if all(lengths) and self._known.keys().isdisjoint(ids) and len(set(ids)) == len(ids):
            firsts = [spans[low] for low in bounds[:-1]]
            if all([once for _, once in metrics]) and spans == [*chain.from_iterable(map(repeat, firsts, lengths))]:
                self._remember(ids, zip([packed for packed, _ in metrics], _all_short(firsts), repeat(b""), strict=False))
                return {}
        parts = zip(ids, [spans[low:high] for low, high in pairwise(bounds)], metrics, strict=True)
        found = [self._of_trace(trace, said, packed, once) for trace, said, (packed, once) in parts]
        return {at: positions for at, positions in enumerate(found) if positions is not None}

    def _of_trace(self, trace: str, spans: Sequence[str], metrics: bytes, once: bool) -> list[int] | None:
        """Which of the scores of one trace did not count before; None where none of them did."""
        before, new = self._known.get(trace), _counted(spans, metrics)
        if before is None:
            if once or len(set(_keys(new))) == len(spans):
                self._remember([trace], [new])
                return None
            before = (b"", (), b"")
            self._remember([trace], [before])
        keys, found = _keys(before), list[int]()
        done = set(keys)
        for position, key in enumerate(_keys(new)):
            if key not in done:
                done.add(key)
                keys.append(key)
                found.append(position)
        self._known[trace] = _counted([span for span, _ in keys], pack([metric for _, metric in keys]))
        return found

    def _remember(self, traces: Sequence[str], counted: Iterable[_Counted]) -> None:
        self._known.update(zip(traces, counted, strict=True))
        self._ring.extend(traces)
        for _ in range(len(self._ring) - self._size):
            del self._known[self._ring.popleft()]

    def state(self) -> list[tuple[str, bytes, tuple[str, ...], bytes]]:
        """Trace, metrics, spans, and which span each metric was told of, of each trace, oldest first."""
        known = [(trace, *self._known[trace]) for trace in self._ring]
        return [(trace, metrics, (spans,) if isinstance(spans, str) else spans, of) for trace, metrics, spans, of in known]

    def load(self, state: list[tuple[str, bytes, tuple[str, ...], bytes]]) -> None:
        """Take over what `state` gave."""
        shared: dict[bytes, bytes] = {}
        kept = state[-self._size :]
        self._known = {trace: (shared.setdefault(metrics, metrics), spans, of) for trace, metrics, spans, of in kept}
        self._ring = deque([trace for trace, *_ in kept])


def _keys(counted: _Counted) -> list[tuple[str, int]]:
    """Span and metric of each score."""
    metrics, spans = array("H", counted[0]), counted[1]
    if isinstance(spans, str):
        spans = (spans,)
    if not counted[2]:
        return [(span, metric) for span in spans for metric in metrics]
    return [(spans[at], metric) for at, metric in zip(array("H", counted[2]), metrics, strict=True)]


def _counted(spans: Sequence[str], metrics: bytes) -> _Counted:
    """Scores of these spans, one by one."""
    names = _all_short([*dict.fromkeys(spans)])
    place = {span: at for at, span in enumerate(dict.fromkeys(names))}
    of = dict(zip(dict.fromkeys(spans), map(place.__getitem__, names), strict=True))
    return metrics, tuple(place), pack([of[span] for span in spans]) if len(place) > 1 else b""


def pack(numbers: Sequence[int]) -> bytes:
    """Numbers as two bytes each; of metrics, all that nobody defined (−1) are one."""
    return array("H", [number & 0xFFFF for number in numbers]).tobytes()


def _all_short(texts: Sequence[str]) -> Sequence[str]:
    if max(map(len, texts), default=0) <= LONGEST and "".join(texts).isascii():
        return texts
    return [text if len(text) <= LONGEST and text.isascii() else _hash(text) for text in texts]


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=LONGEST // 2).hexdigest()
