"""Which scores have counted already: a ring of recent traces, a few hundred bytes each whatever their ids are."""

from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import accumulate, chain, pairwise, repeat
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

LONGEST = 32
"""Characters of an id that are kept as they are, which OpenTelemetry's need; of a longer one a hash of as many is kept."""

FEW = 256
"""So many spans are numbered by a byte each."""

_Counted = tuple[bytes, tuple[str, ...] | str, bytes]
"""Scores of a trace: their metrics, packed; their span, or spans; and of several spans which one each is of.

That is a byte for each of few spans, else packed.
"""


class Spans(NamedTuple):
    """Of which spans the scores of T traces are, one trace after the other: N `spans`, of each trace so many of `lengths`.

    `distinct` are the spans of each trace in order of first mention, `many` (T) of each trace, and `number` (N) says which of
    `distinct` each score is of.
    """

    spans: list[str]
    lengths: list[int]
    distinct: list[str]
    many: Ints
    number: Ints

    @classmethod
    def of(cls, spans: list[str], lengths: list[int]) -> "Spans":
        """Those of these scores."""
        counts = np.array(lengths, np.int64)
        if len(spans) == len(lengths) * (first := lengths[0] if lengths else 0) and first and (counts == first).all():
            firsts = spans[::first]
            if spans == [*chain.from_iterable(map(repeat, firsts, lengths))]:
                # Often all scores of a trace are about one call.
                return cls(spans, lengths, firsts, np.ones_like(counts), np.repeat(np.arange(len(counts)), counts))
        told, number, many = list[str](), list[int](), list[int]()
        for low, high in pairwise([0, *accumulate(lengths)]):
            here = spans[low:high]
            distinct = dict.fromkeys(here)
            # By trace, for ids come from outside: two traces may have a span of the same id.
            number += map(dict(zip(distinct, range(len(told), len(told) + len(distinct)), strict=True)).__getitem__, here)
            told += distinct
            many.append(len(distinct))
        return cls(spans, lengths, told, np.array(many, np.int64), np.array(number, np.int64))


class Recognised:
    """Remembers, of the last so many traces, which metric of which span has counted.

    Of a trace that comes again only the scores that are new count; it keeps its place in the ring.
    """

    def __init__(self, traces: int) -> None:
        self._size = traces
        self._known: dict[str, _Counted] = {}
        self._ring: deque[str] = deque()

    def fresh(self, traces: Sequence[str], spans: Spans, metrics: Sequence[tuple[bytes, bool]]) -> dict[int, list[int]]:
        """Which scores of these traces did not count before, by position, of those traces of which not all count.

        `traces` are T ids; `metrics` the metrics of each trace's scores, packed by `pack`, and whether no metric is among them
        twice.
        """
        ids = _all_short(traces)
        # Nearly always all are new, and plain.
        new = self._known.keys().isdisjoint(ids) and len(set(ids)) == len(ids)
        if new and _are_plain(spans) and all([once for _, once in metrics]):
            self._remember(ids, _all_counted(spans, [packed for packed, _ in metrics]))
            return {}
        said = [spans.spans[low:high] for low, high in pairwise([0, *accumulate(spans.lengths)])]
        parts = zip(ids, said, metrics, strict=True)
        found = [self._of_trace(trace, here, packed, once) for trace, here, (packed, once) in parts]
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
    metrics, spans, of = array("H", counted[0]), counted[1], counted[2]
    if isinstance(spans, str):
        spans = (spans,)
    if not of:
        return [(span, metric) for span in spans for metric in metrics]
    places = of if len(of) == len(metrics) else array("H", of)
    return [(spans[at], metric) for at, metric in zip(places, metrics, strict=True)]


def _counted(spans: Sequence[str], metrics: bytes) -> _Counted:
    """Scores of these spans, one by one."""
    distinct = [*dict.fromkeys(spans)]
    names = _all_short(distinct)
    place = {span: at for at, span in enumerate(dict.fromkeys(names))}
    if len(place) < 2:
        return metrics, tuple(place), b""
    of = map(dict(zip(distinct, map(place.__getitem__, names), strict=True)).__getitem__, spans)
    return metrics, tuple(place), bytes(of) if len(place) <= FEW else pack([*of])


def _are_plain(spans: Spans) -> bool:
    """Whether all traces have scores, of few spans with short ids."""
    return bool(spans.many.all()) and int(spans.many.max(initial=0)) <= FEW and _are_short(spans.distinct)


def _all_counted(spans: Spans, metrics: Sequence[bytes]) -> Iterable[_Counted]:
    """The same of many traces whose spans are plain."""
    if len(spans.distinct) == len(metrics):
        return zip(metrics, spans.distinct, repeat(b""), strict=False)
    first = np.cumsum(spans.many) - spans.many
    of = (spans.number - np.repeat(first, spans.lengths)).astype(np.uint8).tobytes()
    about = [tuple(spans.distinct[low:high]) for low, high in pairwise([0, *np.cumsum(spans.many).tolist()])]
    places = [of[low:high] for low, high in pairwise([0, *accumulate(spans.lengths)])]
    return [(m, s, p if len(s) > 1 else b"") for m, s, p in zip(metrics, about, places, strict=True)]


def pack(numbers: Sequence[int]) -> bytes:
    """Numbers as two bytes each; of metrics, all that nobody defined (−1) are one."""
    return array("H", [number & 0xFFFF for number in numbers]).tobytes()


def _all_short(texts: Sequence[str]) -> Sequence[str]:
    if _are_short(texts):
        return texts
    return [text if len(text) <= LONGEST and text.isascii() else _hash(text) for text in texts]


def _are_short(texts: Sequence[str]) -> bool:
    return max(map(len, texts), default=0) <= LONGEST and "".join(texts).isascii()


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=LONGEST // 2).hexdigest()
