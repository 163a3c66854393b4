"""The row of `incidents`: an incident as its events fold, ready to be listed."""

from collections.abc import Mapping
from typing import Any

import msgspec

from holdfast.core.errors import IntegrityError
from holdfast.core.incident import Incident

_decode = msgspec.json.Decoder(Incident).decode


def incident_of(incident: Incident, opened_seq: int, opened_ns: int, updated_ns: int) -> dict[str, Any]:
    """The row that shows `incident`. `body` holds all of it, the other columns what lists sort and filter by."""
    return {
        "id": incident.id,
        "opened_seq": opened_seq,
        "opened_ns": opened_ns,
        "detected_ns": incident.detected_ns,
        "updated_ns": updated_ns,
        "version": incident.version,
        "service": _shown(incident.service),
        "state": incident.state.value,
        "severity": incident.severity.value,
        "priority": incident.priority.value,
        "title": _shown(incident.title),
        "assignee": _shown(incident.assignee),
        "cohort": msgspec.json.encode(incident.cohort, order="deterministic").decode(),
        "body": msgspec.json.encode(incident, order="deterministic").decode(),
    }


def incident_in(row: Mapping[Any, Any]) -> Incident:
    """The incident that a row shows.

    Raises:
        IntegrityError: the row cannot be read.
    """
    try:
        return _decode(row["body"])
    except (msgspec.MsgspecError, TypeError, UnicodeEncodeError) as error:
        raise IntegrityError(f"incident {row['id']} cannot be read ({error}): run `holdfast ledger verify`") from error


def _shown(text: str) -> str:
    """PostgreSQL's text has no NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
