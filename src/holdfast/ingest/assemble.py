"""Puts the calls of one trace together again, and decides when a trace is complete.

A trace is complete when its root has arrived and nothing more came for `linger_ns`, or when nothing came for `patience_ns`.
Time is whatever the caller passes: arrival time live, event time in a replay.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from holdfast.core.call import Call, Dimensions, Evaluation, EvaluationRecord, Kind
from holdfast.core.clock import NS_PER_S
from holdfast.core.trace import Trace
from holdfast.ingest.checkpoint import Position
from holdfast.ingest.record import MessageRecord, with_messages
from holdfast.ingest.served_models import ServedModels

GENAI_KINDS = frozenset(Kind) - {Kind.OTHER}


class AssemblyPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for the rest of a trace, and how much to hold while waiting."""

    linger_ns: int = 2 * NS_PER_S
    patience_ns: int = 30 * NS_PER_S
    max_open_calls: int = 50_000
    max_calls_per_trace: int = 2_000
    max_attached_per_trace: int = 10_000
    remembered_traces: int = 100_000


class Finished(msgspec.Struct, frozen=True):
    """What is remembered of a trace that was given away, for its late calls and for duplicates."""

    trace_id: str
    dimensions: Dimensions
    span_ids: frozenset[str]
    position: Position


class _Packed(NamedTuple):
    """A `Finished` as it waits: a tenth of its size, and hardly ever asked for."""

    position: Position
    finished: bytes


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Finished).decode


class _Open:
    """A trace that is still arriving."""

    __slots__ = ("attached", "calls", "has_root", "last_ns", "last_position", "position")

    def __init__(self, position: Position) -> None:
        self.calls: dict[str, Call] = {}
        self.attached: list[EvaluationRecord | MessageRecord] = []
        self.has_root = False
        self.last_ns = 0
        self.position = position
        self.last_position = position


class Assembler:
    """Calls in, traces out.

    `position` is where a record begins in the caller's journal: `safe_position` tells from where to read again after a crash so
    that no call of an unfinished trace is lost, and `memory` what to remember so that no finished one comes twice.
    """

    def __init__(self, policy: AssemblyPolicy, language_of: Callable[[str], str]) -> None:
        """`language_of` tells the ISO 639-1 code of a text, or ``und``."""
        self._policy = policy
        self._language_of = language_of
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._open_calls = 0
        self._finished: OrderedDict[str, _Packed] = OrderedDict()
        self._orphans: list[EvaluationRecord] = []
        self._served = ServedModels()
        self.duplicates = 0
        self.dropped = 0

    def add(self, call: Call, now_ns: int, position: Position = Position()) -> list[Trace]:  # noqa: B008 - frozen
        """Takes one call. Returns the traces that had to be let go to stay within the limits, oldest first."""
        finished = self._finished.get(call.trace_id)
        if finished is not None and call.span_id in _unpack(finished.finished).span_ids:
            self.duplicates += 1
            return []
        entry = self._entry(call.trace_id, now_ns, position)
        if call.span_id in entry.calls:
            self.duplicates += 1
            return []
        entry.calls[call.span_id] = call
        entry.has_root = entry.has_root or not call.parent_span_id
        self._open_calls += 1
        released = []
        if len(entry.calls) >= self._policy.max_calls_per_trace:
            released += self._close(call.trace_id)
        while self._open_calls > self._policy.max_open_calls:
            released += self._close(next(iter(self._open)))
        return released

    def attach(self, record: EvaluationRecord | MessageRecord, now_ns: int, position: Position = Position()) -> bool:  # noqa: B008
        """Keeps an evaluation or a message for its trace. False: that trace is finished or not named, look elsewhere."""
        if not record.trace_id or record.trace_id in self._finished:
            return False
        entry = self._entry(record.trace_id, now_ns, position)
        if len(entry.attached) >= self._policy.max_attached_per_trace:
            self.dropped += 1
        else:
            entry.attached.append(record)
        return True

    def complete(self, now_ns: int) -> list[Trace]:
        """The traces that are complete by now, in order of their first arrival."""
        policy = self._policy
        due = [
            trace_id
            for trace_id, entry in self._open.items()
            if now_ns - entry.last_ns >= (policy.linger_ns if entry.has_root else policy.patience_ns)
        ]
        return [trace for trace_id in due for trace in self._close(trace_id)]

    def flush(self) -> list[Trace]:
        """All that is left, complete or not."""
        return [trace for trace_id in list(self._open) for trace in self._close(trace_id)]

    def take_orphans(self) -> list[EvaluationRecord]:
        """Evaluations whose trace never came; each is given out once."""
        orphans, self._orphans = self._orphans, []
        return orphans

    @property
    def safe_position(self) -> Position | None:
        """Position of the oldest record that belongs to an open trace; None when no trace is open."""
        return min((entry.position for entry in self._open.values()), default=None)

    def memory(self, since: Position) -> list[Finished]:
        """The finished traces with records at or after `since`: what `remember` needs after a restart from there."""
        return [_unpack(packed.finished) for packed in self._finished.values() if packed.position >= since]

    def remember(self, memory: Iterable[Finished]) -> None:
        """Takes what `memory` gave before a restart."""
        self._finished.update((finished.trace_id, _Packed(finished.position, _pack(finished))) for finished in memory)

    def _entry(self, trace_id: str, now_ns: int, position: Position) -> _Open:
        entry = self._open.get(trace_id)
        if entry is None:
            entry = self._open[trace_id] = _Open(position)
        entry.last_ns = max(entry.last_ns, now_ns)
        entry.last_position = position
        return entry

    def _close(self, trace_id: str) -> list[Trace]:
        entry = self._open.pop(trace_id)
        self._open_calls -= len(entry.calls)
        evaluations = [record for record in entry.attached if isinstance(record, EvaluationRecord)]
        if not entry.calls:
            self._orphans += evaluations
            self.dropped += len(entry.attached) - len(evaluations)
            return []
        packed = self._finished.pop(trace_id, None)
        before = _unpack(packed.finished) if packed else None
        calls = self._served.named(_with_attached(entry.calls, entry.attached))
        shared = _shared(calls, before.dimensions if before else {}, self._language_of)
        span_ids = frozenset(entry.calls) | (before.span_ids if before else frozenset())
        finished = Finished(trace_id, shared, span_ids, entry.last_position)
        self._finished[trace_id] = _Packed(finished.position, _pack(finished))
        if len(self._finished) > self._policy.remembered_traces:
            self._finished.popitem(last=False)
        return [Trace(trace_id, tuple(_with_dimensions(call, shared) for call in calls))]


def judgement(record: EvaluationRecord, judged: Call | None) -> Trace:
    """An evaluation whose trace is complete, as a call of its own with the dimensions of the call that it judges.

    Its span id is derived, so that the same evaluation arriving again is the same call.
    """
    key = (record.trace_id, record.span_id, record.response_id, record.evaluation.name, record.time_ns)
    digest = hashlib.sha256(repr(key).encode("utf-8", "surrogatepass")).hexdigest()
    call = Call(
        trace_id=judged.trace_id if judged else record.trace_id or digest[:32],
        span_id=digest[-16:],
        parent_span_id=judged.span_id if judged else record.span_id,
        name=record.evaluation.name,
        kind=Kind.EVALUATION,
        start_ns=record.time_ns,
        end_ns=record.time_ns,
        dimensions=judged.dimensions if judged else {"service.name": (record.service,)},
        evaluations=(record.evaluation,),
        convention=judged.convention if judged else "unknown",
    )
    return Trace(call.trace_id, (call,))


def _with_attached(calls: dict[str, Call], attached: Iterable[EvaluationRecord | MessageRecord]) -> list[Call]:
    found = dict(calls)
    evaluations: dict[str, list[Evaluation]] = {}
    by_response = {call.response_id: call.span_id for call in calls.values() if call.response_id}
    for record in attached:
        span_id = record.span_id if record.span_id in calls else by_response.get(record.response_id, "")
        if isinstance(record, EvaluationRecord):
            evaluations.setdefault(span_id or next(iter(calls)), []).append(record.evaluation)
        elif span_id:
            found[span_id] = with_messages(found[span_id], record)
    for span_id, more in evaluations.items():
        call = found[span_id]
        found[span_id] = msgspec.structs.replace(call, evaluations=(*call.evaluations, *more))
    return list(found.values())


def _shared(calls: list[Call], earlier: Dimensions, language_of: Callable[[str], str]) -> Dimensions:
    """Dimension values of the whole trace. The application is the service of the outermost GenAI call."""
    values: dict[str, dict[str, None]] = {name: dict.fromkeys(found) for name, found in earlier.items()}
    for call in calls:
        for name, found in call.dimensions.items():
            if name == "model" and call.kind is not Kind.LLM:
                continue
            values.setdefault(name, {}).update(dict.fromkeys(found))
    shared = {name: tuple(found) for name, found in values.items() if found}
    shared["service.name"] = earlier.get("service.name") or (_application(calls),)
    if "language" not in shared:
        language = language_of(Trace("", tuple(calls)).question)
        if language != "und":
            shared["language"] = (language,)
    return shared


def _application(calls: list[Call]) -> str:
    genai = [call for call in calls if call.kind in GENAI_KINDS] or calls
    return min(genai, key=lambda call: (call.start_ns, -call.end_ns)).service


def _with_dimensions(call: Call, shared: Dimensions) -> Call:
    own = call.dimensions
    merged = {name: own.get(name, found) for name, found in shared.items()}
    merged["service.name"] = shared["service.name"]
    merged.update((name, found) for name, found in own.items() if name not in merged)
    return msgspec.structs.replace(call, dimensions=merged)
