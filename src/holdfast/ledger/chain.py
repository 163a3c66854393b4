"""The hash chain: how an event becomes a row that cannot be changed unnoticed, and back.

    hash = sha256(JSON array [seq, incident_id, version, time_ns, actor, type, body, key, prev_hash])

in hexadecimal, where the array is UTF-8 without blanks, `body` is the event's JSON text as it is stored, and `prev_hash` the hash
of row seq - 1 (64 zeros before the first). Every column but `hash` itself is covered, and its position too. Where an event is not
of an incident, `incident_id` is ``stream:`` and the name of its stream.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from holdfast.core.errors import InputError, IntegrityError
from holdfast.core.events import IncidentEvent, Recorded
from holdfast.core.stream import StreamEvent

Row = Mapping[Any, Any]
"""A row of `ledger_events`, by column name."""

GENESIS = "0" * 64
"""What the first event follows."""

MAX_INT64 = 2**63 - 1

STREAM_PREFIX = "stream:"
"""What stands before a stream's name in the place of an incident's id."""

_COLUMNS: tuple[tuple[str, type], ...] = (
    ("seq", int),
    ("incident_id", str),
    ("version", int),
    ("time_ns", int),
    ("actor", str),
    ("type", str),
    ("body", str),
    ("key", str),
    ("prev_hash", str),
)

_decode_event = msgspec.json.Decoder(IncidentEvent).decode


class Anchor(msgspec.Struct, frozen=True):
    """Number and hash of the last event. Kept somewhere else, it proves later that nothing before it was touched."""

    seq: int
    hash: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the ledger keeps it. `seq` counts over the ledger, `version` over the incident, both from 1."""

    seq: int
    version: int
    recorded: Recorded
    body: str
    """The event's JSON text as it is stored, which the hash is of."""
    prev_hash: str
    hash: str


def must_be_storable(recorded: Recorded) -> None:
    """Refuses what a database could not take beside the event itself.

    Raises:
        InputError: an id, actor or key holds NUL or a lone surrogate, the id is that of a stream, or the time is out of range.
    """
    _must_be_text(recorded, ("incident_id", "actor", "key"))
    _must_be_a_time(recorded.time_ns)
    if recorded.incident_id.startswith(STREAM_PREFIX):
        raise InputError(f"{recorded.incident_id!r} is no incident but a stream", "incident_id")


def _must_be_text(value: object, fields: Iterable[str]) -> None:
    for field in fields:
        text = getattr(value, field)
        if not is_text(text):
            raise InputError(f"{text!r} cannot be kept: it holds NUL or a lone surrogate", field)


def _must_be_a_time(time_ns: int) -> None:
    if not 0 <= time_ns <= MAX_INT64:
        raise InputError(f"{time_ns} is no time in nanoseconds", "time_ns")


def row_of(recorded: Recorded, version: int, previous: Anchor) -> dict[str, Any]:
    """The row that follows `previous`.

    Raises:
        InputError: the event would not come back as it is: it holds a number that is not finite, or text without UTF-8 form.
    """
    row: dict[str, Any] = {
        "seq": previous.seq + 1,
        "incident_id": recorded.incident_id,
        "version": version,
        "time_ns": recorded.time_ns,
        "actor": recorded.actor,
        "type": type(recorded.event).__name__,
        "body": _body(recorded),
        "key": recorded.key,
        "prev_hash": previous.hash,
    }
    return row | {"hash": hash_of(row)}


def row_of_stream(stream_id: str, version: int, event: StreamEvent, previous: Anchor) -> dict[str, Any]:
    """The row of a stream's event that follows `previous`.

    Raises:
        InputError: a field cannot be kept, or the body is no object of that type.
    """
    _must_be_text(event, ("actor", "type", "body"))
    _must_be_a_time(event.time_ns)
    if _type_in(event.body) != event.type:
        raise InputError(f"its body is not the {event.type} that it says it is", "body")
    row: dict[str, Any] = {
        "seq": previous.seq + 1,
        "incident_id": stream_id,
        "version": version,
        "time_ns": event.time_ns,
        "actor": event.actor,
        "type": event.type,
        "body": event.body,
        "key": "",
        "prev_hash": previous.hash,
    }
    return row | {"hash": hash_of(row)}


def stream_event_in(row: Row) -> StreamEvent:
    """The event in a stream's row.

    Raises:
        IntegrityError: the row cannot be read.
    """
    try:
        _must_have_its_types(row)
    except IntegrityError as error:
        raise IntegrityError(f"event {row['seq']} cannot be read ({error}): run `holdfast ledger verify`") from error
    return StreamEvent(time_ns=row["time_ns"], actor=row["actor"], type=row["type"], body=row["body"])


def type_in(row: Row) -> str:
    """The type that an event's body names, for an incident's events after reading all of it.

    Raises:
        IntegrityError: the row cannot be read.
    """
    if str(row["incident_id"]).startswith(STREAM_PREFIX):
        return _type_in(stream_event_in(row).body)
    return type(entry_of(row).recorded.event).__name__


def hash_of(row: Row) -> str:
    """The hash of a row's content, by the formula of this module.

    Raises:
        IntegrityError: a column does not hold what it must.
    """
    _must_have_its_types(row)
    return hashlib.sha256(msgspec.json.encode([row[name] for name, _ in _COLUMNS])).hexdigest()


def entry_of(row: Row) -> Entry:
    """The event in a row.

    Raises:
        IntegrityError: the row cannot be read.
    """
    try:
        _must_have_its_types(row)
        recorded = Recorded(
            incident_id=row["incident_id"],
            time_ns=row["time_ns"],
            actor=row["actor"],
            event=_decode_event(row["body"]),
            key=row["key"],
        )
    except (msgspec.MsgspecError, IntegrityError, UnicodeEncodeError, RecursionError) as error:
        raise IntegrityError(f"event {row['seq']} cannot be read ({error}): run `holdfast ledger verify`") from error
    columns = {name: row[name] for name in ("seq", "version", "body", "prev_hash", "hash")}
    return Entry(recorded=recorded, **columns)


def _must_have_its_types(row: Row) -> None:
    for name, kind in _COLUMNS:
        value = row[name]
        if type(value) is not kind or (kind is str and not is_text(value)):
            raise IntegrityError(f"column {name} does not hold {kind.__name__}")


class _Typed(msgspec.Struct):
    """All that the ledger knows of a stream's event."""

    type: str


_decode_typed = msgspec.json.Decoder(_Typed).decode


def _type_in(body: str) -> str:
    """Empty where the body is no object that names its type."""
    try:
        return _decode_typed(body).type
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return ""


def _body(recorded: Recorded) -> str:
    where = type(recorded.event).__name__
    try:
        encoded = msgspec.json.encode(recorded.event)
        decoded = _decode_event(encoded)
    except (msgspec.MsgspecError, UnicodeEncodeError, OverflowError) as error:
        raise InputError(f"cannot be kept: {error}", where) from error
    if decoded != recorded.event:
        raise InputError("cannot be kept as it is: it would come back different", where)
    return encoded.decode()


def is_text(value: object) -> bool:
    """Whether both databases can hold it as text: no NUL, no lone surrogate."""
    return isinstance(value, str) and "\0" not in value and value.encode("utf-8", "replace").decode() == value
