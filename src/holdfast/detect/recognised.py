"""Which scores have counted already: a ring of recent traces as hashes, a few hundred bytes each whatever their ids are."""

from array import array
from collections.abc import Sequence
from hashlib import blake2b

import msgspec

DIGEST = 8
"""Bytes of a hash: among 10,000 traces two share theirs by chance once in 10¹¹ such rings."""


class Recognised:
    """Remembers, of the last so many traces, which metric of which span has counted.

    Traces, spans and metrics are kept as hashes and numbers, not as text. Of a trace that comes again only the scores that are
    new count; it keeps its place in the ring.
    """

    def __init__(self, traces: int) -> None:
        self._size = traces
        self._known: dict[bytes, _Counted] = {}
        self._ring: list[bytes] = []
        self._at = 0

    def fresh(self, trace_id: str, spans: Sequence[str], metrics: bytes, distinct: bool) -> list[int] | None:
        """Which of these scores of a trace did not count before, by position; None where none of them did.

        `metrics` are their metrics as packed by `pack`; `distinct` says that no metric is in it twice.
        """
        trace = _digest(trace_id)
        before = self._known.get(trace)
        one = not spans or spans.count(spans[0]) == len(spans)
        if one:
            packed = _digest(spans[0]) if spans else b""
        else:
            digests = {span: _digest(span) for span in dict.fromkeys(spans)}
            packed = b"".join([digests[span] for span in spans])
        new = _Counted(metrics, packed)
        if before is None:
            self._remember(trace)
            if (one and distinct) or len(new.keys()) == len(set(new.keys())):
                self._known[trace] = new
                return None
            before = _Counted(b"", b"")
        keys = before.keys()
        done, found = set(keys), list[int]()
        for position, key in enumerate(new.keys()):
            if key not in done:
                done.add(key)
                keys.append(key)
                found.append(position)
        self._known[trace] = _Counted(pack([metric for _, metric in keys]), b"".join([span for span, _ in keys]))
        return found

    def _remember(self, trace: bytes) -> None:
        if len(self._ring) < self._size:
            self._ring.append(trace)
            return
        del self._known[self._ring[self._at]]
        self._ring[self._at] = trace
        self._at = (self._at + 1) % self._size

    def state(self) -> list[tuple[bytes, bytes, bytes]]:
        """Trace, metrics and spans of each, oldest first."""
        order = self._ring[self._at :] + self._ring[: self._at]
        return [(trace, self._known[trace].metrics, self._known[trace].spans) for trace in order]

    def load(self, state: list[tuple[bytes, bytes, bytes]]) -> None:
        """Take over what `state` gave."""
        shared: dict[bytes, bytes] = {}
        kept = state[-self._size :]
        self._known = {trace: _Counted(shared.setdefault(metrics, metrics), spans) for trace, metrics, spans in kept}
        self._ring, self._at = [trace for trace, _, _ in kept], 0


class _Counted(msgspec.Struct, frozen=True, gc=False):
    """Scores of one trace: their metrics, packed, and the digests of their spans, one after the other; one where all share it."""

    metrics: bytes
    spans: bytes

    def keys(self) -> list[tuple[bytes, int]]:
        """Span and metric of each score."""
        metrics = array("H", self.metrics)
        if len(self.spans) == DIGEST:
            return [(self.spans, metric) for metric in metrics]
        return [(self.spans[DIGEST * i : DIGEST * (i + 1)], metric) for i, metric in enumerate(metrics)]


def pack(metrics: Sequence[int]) -> bytes:
    """Numbers of metrics as two bytes each; all that nobody defined (−1) are one."""
    return array("H", [metric & 0xFFFF for metric in metrics]).tobytes()


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST).digest()
