"""An incident to take away: Markdown, HTML, and a JSON bundle whose parts can be checked against the ledger."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from holdfast.core.clock import to_iso
from holdfast.core.errors import InputError
from holdfast.core.incident import Incident
from holdfast.core.score import Metric
from holdfast.ledger.chain import Anchor, Entry
from holdfast.report.analysis import incident_document
from holdfast.report.postmortem import postmortem
from holdfast.report.reader import reader

EXPORTS = (
    ("md", "Post-mortem (Markdown)"),
    ("html", "Post-mortem (HTML)"),
    ("pdf", "Post-mortem (PDF)"),
    ("json", "Bundle with evidence (JSON)"),
)
"""Ending and name of what there is."""

BUNDLE_VERSION = 2

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#18202a}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0}th,td{border:1px solid #dde2e8;padding:.3rem .6rem;text-align:left}"
    "code{background:#eef1f4;padding:0 .25rem;border-radius:3px}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:1.6rem}"
)


def markdown(incident: Incident, metrics: Mapping[str, Metric]) -> str:
    """The post-mortem."""
    return postmortem(incident, dict(metrics))


def html(incident: Incident, metrics: Mapping[str, Metric]) -> str:
    """The post-mortem as a page that stands by itself: no script, nothing from elsewhere, and no link that telemetry wrote."""
    body = reader().render(markdown(incident, metrics))
    title = incident.id
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{_STYLE}</style></head><body>{body}</body></html>'
    )


def bundle(
    incident: Incident,
    metrics: Mapping[str, Metric],
    entries: Sequence[Entry],
    anchor: Anchor,
    evidence: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything as JSON values, each piece of evidence with its SHA-256.

    Args:
        incident: what is exported.
        metrics: what its numbers mean.
        entries: its events, with their place and hash in the ledger.
        anchor: where the ledger ended when this was made: proves later that nothing before it was touched.
        evidence: traces by id, as JSON values.

    The hash of a piece is that of its JSON text with sorted keys and no blanks, UTF-8; the hash of an event that of its `row` as
    a JSON array without blanks: [seq, incident_id, version, time_ns, actor, type, body, key, prev_hash]. See `problems_of`.
    """
    return {
        "holdfast_bundle": BUNDLE_VERSION,
        "incident": incident_document(incident, dict(metrics)),
        "postmortem": markdown(incident, metrics),
        "ledger": {
            "anchor": {"seq": anchor.seq, "hash": anchor.hash},
            "events": [
                {
                    "seq": entry.seq,
                    "version": entry.version,
                    "time": to_iso(entry.recorded.time_ns),
                    "actor": entry.recorded.actor,
                    "type": type(entry.recorded.event).__name__,
                    "body": msgspec.json.decode(entry.body),
                    "row": _row(entry),
                    "hash": entry.hash,
                }
                for entry in entries
            ],
        },
        "evidence": [
            {"trace_id": key, "sha256": evidence_hash(value), "trace": value} for key, value in sorted(evidence.items())
        ],
    }


def evidence_hash(value: Any) -> str:
    """SHA-256 in hex of a JSON value: its text with sorted keys and no blanks, UTF-8."""
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def problems_of(made: Any) -> list[str]:
    """Which events and pieces of evidence of a bundle are not as they were when it was made; empty when all hashes hold.

    Incident and post-mortem have no hash of their own: they are told again from the events. That nothing was made up from the
    start, or left out at the end, shows only beside the ledger, which has the rows, and the hash of every export.

    Raises:
        InputError: it is no bundle of this version.
    """
    try:
        bundle = msgspec.convert(made, _Bundle)
    except msgspec.ValidationError as error:
        raise InputError(str(error), "bundle") from None
    found = [f"evidence {piece.trace_id}: was changed" for piece in bundle.evidence if evidence_hash(piece.trace) != piece.sha256]
    for event in bundle.ledger.events:
        if _row_hash(event.row) != event.hash:
            found.append(f"event {event.seq}: was changed")
        if (event.seq, event.version, event.time, event.actor, event.type) != _told(event.row):
            found.append(f"event {event.seq}: is told otherwise than it was written")
        elif _value(event.row[6]) != event.body:
            found.append(f"event {event.seq}: its body is told otherwise than it was written")
    if len({event.row[1] for event in bundle.ledger.events}) > 1:
        found.append("events are of several incidents")
    versions = [event.version for event in bundle.ledger.events]
    if versions != list(range(1, len(versions) + 1)):
        found.append("events are missing, or in another order")
    return found


_Row = tuple[int, str, int, int, str, str, str, str, str]


class _Event(msgspec.Struct):
    seq: int
    version: int
    time: str
    actor: str
    type: str
    body: Any
    row: _Row
    hash: str


class _Ledger(msgspec.Struct):
    events: list[_Event]


class _Piece(msgspec.Struct):
    trace_id: str
    sha256: str
    trace: Any


class _Bundle(msgspec.Struct):
    holdfast_bundle: Literal[2]
    ledger: _Ledger
    evidence: list[_Piece]


def _row(entry: Entry) -> list[Any]:
    """What the event's hash is of, in order."""
    recorded = entry.recorded
    kind = type(recorded.event).__name__
    place = (entry.seq, recorded.incident_id, entry.version, recorded.time_ns)
    return [*place, recorded.actor, kind, entry.body, recorded.key, entry.prev_hash]


def _told(row: _Row) -> tuple[int, int, str, str, str]:
    """What a bundle says of an event beside its row: seq, version, time, actor, type."""
    try:
        time = to_iso(row[3])
    except (ValueError, OverflowError, OSError):
        time = ""
    return row[0], row[2], time, row[4], row[5]


def _value(body: str) -> Any:
    """An event's body; its text where that is no JSON."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return body


def _row_hash(row: Sequence[Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(row)).hexdigest()
