"""Lists of incidents: filters, orders, and pages that stay put while incidents are added."""

from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa

from holdfast.core.errors import InputError
from holdfast.core.incident import Incident, Severity, State
from holdfast.ledger.chain import MAX_INT64, is_text
from holdfast.ledger.projection import incident_in
from holdfast.ledger.tables import INCIDENTS

MAX_PAGE = 500
SHOWN = (State.OPEN, State.MITIGATED, State.RESOLVED, State.CLOSED)
"""States that are listed when none is asked for: candidates, declined and merged incidents are kept, not shown."""


class Order(StrEnum):
    """What comes first: last opened, worst, last detected, last touched."""

    OPENED = "opened"
    SEVERITY = "severity"
    DETECTED = "detected"
    UPDATED = "updated"


class IncidentQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. Empty and None mean any; `services` are those that who asks may see.

    `text` is looked for in title and id, `detected_from_ns` is included, `detected_to_ns` is not. `cursor` is the `next` of the
    page before; it goes with the same order.
    """

    states: tuple[State, ...] = ()
    severities: tuple[Severity, ...] = ()
    services: frozenset[str] | None = None
    service: str = ""
    assignee: str = ""
    text: str = ""
    detected_from_ns: int = 0
    detected_to_ns: int = MAX_INT64
    order: Order = Order.OPENED
    limit: int = 50
    cursor: str = ""


class IncidentPage(msgspec.Struct, frozen=True):
    """Incidents in order; `next` continues behind the last, empty where there are no more."""

    incidents: tuple[Incident, ...]
    next: str


_KEYS: dict[Order, tuple[sa.ColumnElement[Any], bool]] = {
    Order.OPENED: (INCIDENTS.c.opened_seq, True),
    Order.SEVERITY: (INCIDENTS.c.severity, False),
    Order.DETECTED: (INCIDENTS.c.detected_ns, True),
    Order.UPDATED: (INCIDENTS.c.updated_ns, True),
}
"""Column, and whether it falls. Equal ones: the last opened first."""


def list_incidents(connection: sa.Connection, query: IncidentQuery) -> IncidentPage:
    """One page.

    Raises:
        InputError: the limit is out of range, the cursor is not one of this order, or a text holds NUL.
    """
    if not 1 <= query.limit <= MAX_PAGE:
        raise InputError(f"must be from 1 to {MAX_PAGE}, not {query.limit}", "limit")
    for name in ("service", "assignee", "text"):
        if not is_text(getattr(query, name)):
            raise InputError("holds NUL or a lone surrogate", name)
    key, falls = _KEYS[query.order]
    statement = (
        sa.select(INCIDENTS).where(*_conditions(query)).order_by(key.desc() if falls else key, INCIDENTS.c.opened_seq.desc())
    )
    if query.cursor:
        statement = statement.where(_behind(query, key, falls))
    rows = connection.execute(statement.limit(query.limit + 1)).mappings().all()
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    return IncidentPage(tuple(incident_in(row) for row in shown), f"{shown[-1][key]}.{shown[-1]['opened_seq']}" if more else "")


def count_by_state(connection: sa.Connection, services: frozenset[str] | None = None) -> dict[State, int]:
    """How many incidents are in each state, of these applications."""
    query = sa.select(INCIDENTS.c.state, sa.func.count()).group_by(INCIDENTS.c.state)
    if services is not None:
        query = query.where(INCIDENTS.c.service.in_(services))
    return {State(state): number for state, number in connection.execute(query)}


def _conditions(query: IncidentQuery) -> list[sa.ColumnElement[bool]]:
    c = INCIDENTS.c
    found: list[sa.ColumnElement[bool]] = [c.state.in_([s.value for s in query.states or SHOWN])]
    if query.severities:
        found.append(c.severity.in_([s.value for s in query.severities]))
    if query.services is not None:
        found.append(c.service.in_(sorted(query.services)))
    found += [column == value for column, value in ((c.service, query.service), (c.assignee, query.assignee)) if value]
    if query.text:
        found.append(sa.or_(c.title.icontains(query.text, autoescape=True), c.id.startswith(query.text, autoescape=True)))
    found += [c.detected_ns >= query.detected_from_ns] if query.detected_from_ns else []
    found += [c.detected_ns < query.detected_to_ns] if query.detected_to_ns < MAX_INT64 else []
    return found


def _behind(query: IncidentQuery, key: sa.ColumnElement[Any], falls: bool) -> sa.ColumnElement[bool]:
    first, _, second = query.cursor.partition(".")
    try:
        value: str | int = Severity(first).value if query.order is Order.SEVERITY else int(first)
        seq = int(second)
    except ValueError:
        raise InputError("is not one that a page of this order gave", "cursor") from None
    if max(seq, value if isinstance(value, int) else 0) > MAX_INT64:
        raise InputError("is not one that a page of this order gave", "cursor")
    return sa.or_(key < value if falls else key > value, sa.and_(key == value, INCIDENTS.c.opened_seq < seq))
