"""Finding calls: by time, application, dimension, score and text, newest first."""

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any

import msgspec

from holdfast.core.call import DIMENSIONS, Call, Kind, Status
from holdfast.core.errors import InputError
from holdfast.telemetry.connection import Connection
from holdfast.telemetry.rows import MAX_INT64, decode_call
from holdfast.telemetry.words import HAS_WORD, rarest_word

FIRST_NS = 600_000_000_000
QUICK_S = 0.02
SLOWER, FASTER = 2, 6
"""How far back is looked at next: what is asked for is mostly recent, and reading texts is what costs. First ten minutes; what
took next to no time is followed by six times as much, what left time for that by twice as much."""

MAX_PAGE = 200


class CallQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. Empty and None mean any; `services` are those that who asks may see.

    Times are when a call ended: `start_ns` is included, `end_ns` is not. `dimensions` are name → value. With `metric`, calls that
    have such a score, of `score_from` at least and `score_to` at most. `failed_scorer`: calls on which this scorer failed.
    `text` is looked for in everything that the call said, whatever the case of its letters. `cursor` is the `next` of the page
    before.

    `budget_s`: after so many seconds a page ends, full or not, and its `next` goes on from there; ten minutes are always looked
    at. None looks back until the page is full.
    """

    services: frozenset[str] | None = None
    service: str = ""
    kind: Kind | None = None
    status: Status | None = None
    dimensions: dict[str, str] = {}
    metric: str = ""
    score_from: float = 0.0
    score_to: float = 1e300
    failed_scorer: str = ""
    text: str = ""
    start_ns: int = 0
    end_ns: int = MAX_INT64
    limit: int = 50
    cursor: str = ""
    budget_s: float | None = None


class Hit(msgspec.Struct, frozen=True):
    """A call that was found, with its scores by metric."""

    call: Call
    scores: dict[str, float]
    failed: tuple[str, ...] = ()


class Hits(msgspec.Struct, frozen=True):
    """Calls, newest first; `next` continues behind the last, empty where there are no more.

    `reached_ns` is how far back was looked when the page ended for want of time, 0 where it did not.
    """

    hits: tuple[Hit, ...]
    next: str
    reached_ns: int = 0


_KEYS = """
SELECT end_ns, trace_id, span_id FROM calls WHERE %(condition)s
ORDER BY end_ns DESC, trace_id DESC, span_id DESC LIMIT 1 BY end_ns, trace_id, span_id LIMIT {limit:UInt32}
"""

_ROWS = """
SELECT trace_id, span_id, body, scores.name, scores.value, failures.scorer FROM calls
WHERE end_ns >= {start:Int64} AND end_ns <= {end:Int64}
    AND trace_id IN {traces:Array(String)} AND span_id IN {spans:Array(String)}
LIMIT 1 BY trace_id, span_id
"""

_CONDITIONS = {
    "service": "service = {service:String}",
    "kind": "kind = {kind:String}",
    "status": "status = {status:String}",
    "failed_scorer": "has(failures.scorer, {failed_scorer:String})",
    # The body is MessagePack: texts stand in it as they are.
    "text": "positionCaseInsensitiveUTF8(body, {text:String}) > 0",
}


def search_calls(connection: Connection, query: CallQuery) -> Hits:
    """One page.

    Raises:
        InputError: the limit is out of range, the cursor is not one of ours, or a dimension is unknown.
    """
    condition, parameters, newest = _condition(query)
    found: list[Sequence[Any]] = []
    reach = _Reach(connection, query, newest)
    while reach.goes_on and len(found) <= query.limit:
        bound = {**parameters, "start": reach.start, "end": reach.end, "limit": query.limit + 1 - len(found)}
        found += connection.rows(_KEYS % {"condition": condition}, bound)
        reach.further()
    keys = [tuple(row) for row in found[: query.limit]]
    if len(found) > query.limit:
        return Hits(tuple(_hits(connection, keys)), ".".join(str(part) for part in keys[-1]))
    # Nothing ended before the oldest call: then that was all, in time or not.
    reached = reach.end if reach.late else 0
    return Hits(tuple(_hits(connection, keys)), f"{reached}.." if reached else "", reached)


def _hits(connection: Connection, keys: list[tuple[Any, ...]]) -> Iterator[Hit]:
    if not keys:
        return
    bound = {
        "start": keys[-1][0],
        "end": keys[0][0],
        "traces": sorted({key[1] for key in keys}),
        "spans": sorted({key[2] for key in keys}),
    }
    rows = {(row[0], row[1]): row[2:] for row in connection.rows(_ROWS, bound)}
    for _, trace_id, span_id in keys:
        body, names, values, failed = rows[trace_id, span_id]
        yield Hit(decode_call(body), dict(zip(names, values, strict=True)), tuple(dict.fromkeys(failed)))


class _Reach:
    """Windows from the newest call backwards, as long as there is time; `start` and `end` are those of the one to look at."""

    def __init__(self, connection: Connection, query: CallQuery, newest_ns: int) -> None:
        # Without a condition the store knows this by heart.
        oldest, newest, count = connection.rows("SELECT min(end_ns), max(end_ns), count() FROM calls")[0]
        self._oldest = max(int(oldest), query.start_ns) if count else 0
        self._left_s = float("inf") if query.budget_s is None else max(query.budget_s, 1e-9)
        self._length = FIRST_NS
        self.end = min(int(newest) + 1, newest_ns) if count else 0
        self._begun = perf_counter()

    @property
    def start(self) -> int:
        """Of this window."""
        return max(self.end - self._length, self._oldest)

    @property
    def late(self) -> bool:
        """Whether there is more to look at, and no time for it."""
        return self.end > self._oldest and self._left_s <= 0

    @property
    def goes_on(self) -> bool:
        """Whether there is a window to look at."""
        return self.end > self._oldest and self._left_s > 0

    def further(self) -> None:
        """Goes on to the next window, whose length follows from what this one cost."""
        now = perf_counter()
        took, self._begun = now - self._begun, now
        self._left_s -= took
        self.end = self.start
        if took < QUICK_S:
            self._length *= FASTER
        elif took * (SLOWER + 1) < self._left_s:
            self._length *= SLOWER
        elif took > self._left_s:
            self._left_s = 0.0


def _condition(query: CallQuery) -> tuple[str, dict[str, Any], int]:
    if not 1 <= query.limit <= MAX_PAGE:
        raise InputError(f"must be from 1 to {MAX_PAGE}, not {query.limit}", "limit")
    parts = ["end_ns >= {start:Int64} AND end_ns < {end:Int64}"]
    parameters: dict[str, Any] = {}
    for name, text in _CONDITIONS.items():
        if value := getattr(query, name):
            parts.append(text)
            parameters[name] = str(value)
    if word := rarest_word(query.text):
        parts.append(HAS_WORD)
        parameters["word"] = word
    if query.services is not None:
        parts.append("service IN {services:Array(String)}")
        parameters["services"] = sorted(query.services)
    for number, (name, value) in enumerate(query.dimensions.items()):
        if name not in DIMENSIONS:
            raise InputError(f"{name!r} is no dimension: {', '.join(DIMENSIONS)}", "dimensions")
        parts.append(f"has(dimensions[{{name{number}:String}}], {{value{number}:String}})")
        parameters |= {f"name{number}": name, f"value{number}": value}
    if query.metric:
        parts.append(
            "arrayExists((n, v) -> n = {metric:String} AND v >= {low:Float64} AND v <= {high:Float64}, scores.name, scores.value)"
        )
        parameters |= {"metric": query.metric, "low": query.score_from, "high": query.score_to}
    newest = query.end_ns
    if query.cursor:
        at, trace_id, span_id = _cursor(query.cursor)
        parts.append("(end_ns, trace_id, span_id) < ({at:Int64}, {at_trace:String}, {at_span:String})")
        parameters |= {"at": at, "at_trace": trace_id, "at_span": span_id}
        newest = min(newest, at + 1)
    return " AND ".join(parts), parameters, newest


def _cursor(text: str) -> tuple[int, str, str]:
    parts = text.split(".")
    if len(parts) != 3 or not (parts[0].isascii() and parts[0].isdigit()) or int(parts[0]) >= MAX_INT64:
        raise InputError("is not one that a page gave", "cursor")
    return int(parts[0]), parts[1], parts[2]
