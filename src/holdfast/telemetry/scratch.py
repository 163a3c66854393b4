"""`ScratchStore`: the scores of one analysis in a temporary file, in memory that does not grow with it.

An analysis asks for whole columns, forward in time, and throws everything away at the end: a database server inside the process
would take 400 MB and a third of the time for that. Calls are kept in blocks, in the order in which they were scored.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.call import Call, Dimensions, EvaluationRecord, MetricPoint
from holdfast.core.change import Change
from holdfast.core.errors import StoreError
from holdfast.core.observations import Calls, Observations, one_table
from holdfast.core.score import Score
from holdfast.core.trace import ScoredTrace
from holdfast.telemetry.rows import sound, storable, within

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

BLOCK_CALLS = 4_000
"""Calls that are written together; so many wait in memory at most."""
CALLS_AT_HAND = 64_000
"""Calls of blocks kept unpacked, and one more block: diagnoses ask for the same period several times. Blocks may be small."""
LATEST_CHANGES = 10_000

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE blocks (number INTEGER PRIMARY KEY, first_ns INTEGER, last_ns INTEGER, body BLOB);
CREATE TABLE calls (trace_id TEXT, span_id TEXT, response_id TEXT, start_ns INTEGER, block INTEGER, place INTEGER);
"""
_INDEXES = """
CREATE INDEX IF NOT EXISTS by_trace ON calls (trace_id, span_id);
CREATE INDEX IF NOT EXISTS by_response ON calls (response_id) WHERE response_id != '';
"""
_FIND = "SELECT trace_id, span_id, block, place FROM calls WHERE {} ORDER BY start_ns, span_id LIMIT 1"


class _Block(msgspec.Struct, frozen=True, array_like=True):
    """Calls of one write: columns of length n, and their scores as columns of length m (`call` is the place of the call).

    `names` and `kinds` are the distinct metrics and (dimensions, convention) that `metric` and `kind` count in.
    """

    end_ns: bytes
    kind: bytes
    traces: list[str]
    spans: list[str]
    names: list[str]
    kinds: list[tuple[Dimensions, str]]
    call: bytes
    metric: bytes
    value: bytes


class _Open:
    """A block, unpacked."""

    def __init__(self, block: _Block) -> None:
        self.calls = Calls(
            time_ns=np.frombuffer(block.end_ns, np.int64),
            trace_id=block.traces,
            span_id=block.spans,
            kind=np.frombuffer(block.kind, np.int64),
            kinds=[dimensions for dimensions, _ in block.kinds],
        )
        self.conventions = [convention for _, convention in block.kinds]
        self.number_of = {name: number for number, name in enumerate(block.names)}
        self.call: Ints = np.frombuffer(block.call, np.int64)
        self.metric: Ints = np.frombuffer(block.metric, np.int64)
        self.value: Floats = np.frombuffer(block.value, np.float64)
        self._service = [_service(dimensions) for dimensions in self.calls.kinds]
        self.services = set(self._service)

    def calls_of(self, service: str, start_ns: int, end_ns: int) -> npt.NDArray[np.bool_]:
        """Which calls (n) are of this application and ended in [start_ns, end_ns)."""
        own, time_ns = np.array([one == service for one in self._service], bool), self.calls.time_ns
        return np.asarray(own[self.calls.kind] & (time_ns >= start_ns) & (time_ns < end_ns), bool)


_decode = msgspec.msgpack.Decoder(_Block).decode
_encode = msgspec.msgpack.Encoder().encode


class _Gathered:
    """A block in the making. Of a call it keeps what is asked for, not its texts."""

    def __init__(self) -> None:
        self.end_ns: list[int] = []
        self.known: list[tuple[str, str, str, int]] = []
        """Trace, span and response id, and start."""
        self._kind: list[int] = []
        self._kinds: dict[tuple[object, ...], int] = {}
        self._told: list[tuple[Dimensions, str]] = []
        self._names: dict[str, int] = {}
        self._call: list[int] = []
        self._metric: list[int] = []
        self._value: list[float] = []

    def __len__(self) -> int:
        return len(self.end_ns)

    def add(self, call: Call, scores: Sequence[Score]) -> None:
        place = len(self.end_ns)
        self.end_ns.append(within(call.end_ns))
        self.known.append((storable(call.trace_id), storable(call.span_id), storable(call.response_id), within(call.start_ns)))
        key = (call.convention, *call.dimensions.items())
        number = self._kinds.get(key)
        if number is None:
            number = self._kinds[key] = len(self._told)
            clean = sound(Call(trace_id="", span_id="", dimensions=call.dimensions), Call)
            self._told.append((clean.dimensions, call.convention))
        self._kind.append(number)
        self._call += [place] * len(scores)
        self._metric += [self._names.setdefault(score.metric, len(self._names)) for score in scores]
        self._value += [score.value for score in scores]

    def block(self) -> _Block:
        return _Block(
            end_ns=np.array(self.end_ns, np.int64).tobytes(),
            kind=np.array(self._kind, np.int64).tobytes(),
            traces=[known[0] for known in self.known],
            spans=[known[1] for known in self.known],
            names=[storable(name) for name in self._names],
            kinds=self._told,
            call=np.array(self._call, np.int64).tobytes(),
            metric=np.array(self._metric, np.int64).tobytes(),
            value=np.array(self._value, np.float64).tobytes(),
        )


class ScratchStore:
    """Implements what the pipeline asks of a telemetry store, for one run, in the new file `path`.

    A call that is appended twice counts twice: the assembly of traces sees to that. Infrastructure metrics are not kept, since
    nothing in an analysis reads them.

    Raises:
        StoreError: the file cannot be written or read; so do all methods.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._told():
            self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._file.executescript(_TABLES)
        self._waiting = _Gathered()
        self._blocks = 0
        self._at_hand: OrderedDict[int, _Open] = OrderedDict()
        self._calls_at_hand = 0
        self._changes: dict[tuple[str, str], Change] = {}
        self._indexed = False

    def __enter__(self) -> "ScratchStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()

    def append(self, scored: Sequence[ScoredTrace]) -> None:
        """Keeps calls with their scores; a score of an unknown span is kept with the root."""
        for one in scored:
            of: dict[str, list[Score]] = {call.span_id: [] for call in one.trace.calls}
            root = of[one.trace.root.span_id]
            for score in one.scores:
                of.get(score.span_id, root).append(score)
            for call in one.trace.calls:
                self._waiting.add(call, of[call.span_id])
        if len(self._waiting) >= BLOCK_CALLS:
            self.flush()

    def flush(self) -> None:
        """Writes what waits."""
        gathered, number = self._waiting, self._blocks
        if not len(gathered):
            return
        block = (number, min(gathered.end_ns), max(gathered.end_ns), _encode(gathered.block()))
        calls = ((*known, number, place) for place, known in enumerate(gathered.known))
        with self._told():
            self._file.execute("BEGIN")
            self._file.execute("INSERT INTO blocks VALUES (?, ?, ?, ?)", block)
            self._file.executemany("INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?)", calls)
            self._file.execute("COMMIT")
        self._waiting = _Gathered()
        self._blocks += 1

    def append_changes(self, changes: Sequence[Change]) -> None:
        """Keeps the first of equal (source, id); of more than `LATEST_CHANGES` the later ones."""
        for change in changes:
            self._changes.setdefault((change.source, change.id), change)
        while len(self._changes) > LATEST_CHANGES:
            del self._changes[next(iter(self._changes))]

    def append_metric_points(self, points: Sequence[MetricPoint]) -> None:
        """Nothing in an analysis reads them."""

    def append_evaluations(self, records: Sequence[EvaluationRecord]) -> None:
        """Nothing in an analysis reads them as they arrived: they are scored."""

    def changes(self, start_ns: int, end_ns: int) -> list[Change]:
        """Changes in [start_ns, end_ns), oldest first."""
        found = [change for change in self._changes.values() if start_ns <= change.time_ns < end_ns]
        return sorted(found, key=lambda change: (change.time_ns, change.source, change.id))

    def observations(self, service: str, metrics: Sequence[str], start_ns: int, end_ns: int) -> dict[str, Observations]:
        """Scores of these metrics in [start_ns, end_ns), by metric, by time and ids; one without scores has zero rows."""
        self.flush()
        found = _Found(list(dict.fromkeys(metrics)))
        with self._told():
            numbers = self._file.execute(
                "SELECT number FROM blocks WHERE last_ns >= ? AND first_ns < ? ORDER BY number",
                (within(start_ns), within(end_ns)),
            ).fetchall()
        for (number,) in numbers:
            block = self._block(number)
            if service in block.services:
                found.add(block, block.calls_of(service, start_ns, end_ns))
        return found.observations()

    def call_of(self, record: EvaluationRecord) -> Call | None:
        """The call that an evaluation is about: by span, else by response id, else the earliest of its trace; None: not kept.

        Of the call, only ids, dimensions and convention are known here.
        """
        self.flush()
        if record.trace_id and record.span_id:
            found = self._find("trace_id = ? AND span_id = ?", record.trace_id, record.span_id)
        elif record.response_id:
            found = self._find("response_id = ? AND response_id != ''", record.response_id)
        else:
            found = self._find("trace_id = ?", record.trace_id) if record.trace_id else None
        return found

    def _find(self, condition: str, *values: str) -> Call | None:
        with self._told():
            if not self._indexed:  # most analyses never ask
                self._file.executescript(_INDEXES)
                self._indexed = True
            row = self._file.execute(_FIND.format(condition), [storable(value) for value in values]).fetchone()
        if row is None:
            return None
        trace_id, span_id, number, place = row
        block = self._block(number)
        kind = int(block.calls.kind[place])
        dimensions = block.calls.kinds[kind]
        return Call(trace_id=trace_id, span_id=span_id, dimensions=dimensions, convention=block.conventions[kind])

    def _block(self, number: int) -> _Open:
        block = self._at_hand.get(number)
        if block is None:
            with self._told(), closing(self._file.execute("SELECT body FROM blocks WHERE number = ?", (number,))) as rows:
                block = self._at_hand[number] = _Open(_decode(rows.fetchone()[0]))
            self._calls_at_hand += len(block.calls)
            while self._calls_at_hand - len(block.calls) > CALLS_AT_HAND:
                self._calls_at_hand -= len(self._at_hand.popitem(last=False)[1].calls)
        self._at_hand.move_to_end(number)
        return block

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"temporary file {self._path}: {error}: check that its folder has room") from error


class _Found:
    """Rows of the asked metrics, gathered block by block."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._tables: list[Calls] = []
        self._call: list[Ints] = [np.empty(0, np.int64)]
        self._metric: list[Ints] = [np.empty(0, np.int64)]
        self._value: list[Floats] = [np.empty(0)]

    def add(self, block: _Open, wanted: npt.NDArray[np.bool_]) -> None:
        """Take over the wanted calls that have a score of an asked metric."""
        asked = np.full(len(block.number_of), -1, np.int64)
        for position, name in enumerate(self._names):
            if (number := block.number_of.get(name)) is not None:
                asked[number] = position
        metric = asked[block.metric]
        rows = np.flatnonzero((metric >= 0) & wanted[block.call])
        told = np.zeros(len(block.calls), np.bool_)
        told[block.call[rows]] = True
        number_in = np.cumsum(told) - 1 + sum(map(len, self._tables))
        self._call.append(number_in[block.call[rows]])
        self._metric.append(metric[rows])
        self._value.append(block.value[rows])
        self._tables.append(block.calls if told.all() else block.calls.take(np.flatnonzero(told)))

    def observations(self) -> dict[str, Observations]:
        """By metric; rows by time, then ids."""
        calls = one_table(self._tables)
        order = _by_time(calls)
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        calls = calls.take(order)
        call, metric, value = rank[np.concatenate(self._call)], np.concatenate(self._metric), np.concatenate(self._value)
        # Scores of one call stay in the order in which they were given.
        by_metric = np.argsort(metric * len(order) + call, kind="stable")
        bounds = np.searchsorted(metric[by_metric], np.arange(len(self._names) + 1))
        found = {}
        for position, name in enumerate(self._names):
            rows = by_metric[bounds[position] : bounds[position + 1]]
            found[name] = Observations(metric=name, calls=calls, call=call[rows], value=value[rows])
        return found


def _by_time(calls: Calls) -> Ints:
    """Rows by time, then ids."""
    order = np.argsort(calls.time_ns, kind="stable")
    time = calls.time_ns[order]
    same = np.append(time[1:] == time[:-1], False)
    tied = np.flatnonzero(same | np.append(False, same[:-1]))
    rows = order[tied].tolist()
    times = calls.time_ns[rows].tolist()
    ranked = sorted(range(len(rows)), key=lambda i: (times[i], calls.trace_id[rows[i]], calls.span_id[rows[i]]))
    order[tied] = np.array(rows, np.int64)[ranked]
    return order


def _service(dimensions: Dimensions) -> str:
    """As `Call.service`."""
    return dimensions.get("service.name", ("unknown_service",))[0]
