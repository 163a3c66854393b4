"""Lists of incidents by filters and in an order."""

import pytest

from holdfast.core.errors import InputError
from holdfast.core.events import IncidentAssigned, IncidentDeclined, IncidentResolved, SeverityChanged
from holdfast.core.incident import Severity, State
from holdfast.ledger.listing import IncidentQuery, Order
from holdfast.ledger.store import Ledger
from tests.ledger.examples import opened, then


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    ledger.append(
        [
            opened("inc_1", service="support"),
            opened("inc_2", service="search"),
            opened("inc_3", service="support"),
            opened("inc_4", service="support", state=State.CANDIDATE),
            then(SeverityChanged(severity=Severity.SEV1, reason="x"), "inc_1"),
            then(IncidentAssigned(assignee="ada"), "inc_2", time_ns=50),
            then(IncidentResolved(reason="x"), "inc_3"),
            opened("inc_5", service="support"),
            then(IncidentDeclined(reason="x"), "inc_5"),
        ]
    )
    return ledger


def ids(ledger: Ledger, **query: object) -> list[str]:
    return [i.id for i in ledger.page(IncidentQuery(**query)).incidents]  # type: ignore[arg-type]


def test_candidates_declined_and_merged_ones_are_listed_when_asked_for_only(filled: Ledger) -> None:
    assert ids(filled) == ["inc_3", "inc_2", "inc_1"]
    assert ids(filled, states=(State.CANDIDATE, State.DECLINED)) == ["inc_5", "inc_4"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"service": "search"}, ["inc_2"]),
        ({"services": frozenset({"support"})}, ["inc_3", "inc_1"]),
        ({"services": frozenset()}, []),
        ({"assignee": "ada"}, ["inc_2"]),
        ({"severities": (Severity.SEV1,)}, ["inc_1"]),
        ({"text": "HALLUCINATES"}, ["inc_3", "inc_2", "inc_1"]),
        ({"text": "inc_2"}, ["inc_2"]),
        ({"text": "100%_"}, []),
        ({"detected_from_ns": 21}, []),
        ({"detected_to_ns": 20}, []),
        ({"order": Order.SEVERITY}, ["inc_1", "inc_3", "inc_2"]),
        ({"order": Order.UPDATED}, ["inc_2", "inc_3", "inc_1"]),
    ],
    ids=str,
)
def test_filters_and_orders(filled: Ledger, query: dict[str, object], expected: list[str]) -> None:
    assert ids(filled, **query) == expected


@pytest.mark.parametrize("order", list(Order))
def test_pages_stay_put_while_incidents_are_added(filled: Ledger, order: Order) -> None:
    first = filled.page(IncidentQuery(order=order, limit=2))
    filled.append([opened("inc_9")])
    second = filled.page(IncidentQuery(order=order, limit=2, cursor=first.next))
    seen = [i.id for i in (*first.incidents, *second.incidents) if i.id != "inc_9"]
    assert sorted(seen) == ["inc_1", "inc_2", "inc_3"]


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 501}, {"cursor": "x"}, {"cursor": "1"}, {"cursor": f"{10**30}.1"}, {"text": "a\0"}], ids=str
)
def test_a_query_that_makes_no_sense_is_refused(filled: Ledger, query: dict[str, object]) -> None:
    with pytest.raises(InputError):
        ids(filled, **query)


def test_incidents_are_counted_by_state_among_those_one_may_see(filled: Ledger) -> None:
    assert filled.counts()[State.OPEN] == 2
    assert filled.counts(frozenset({"search"})) == {State.OPEN: 1}


def test_what_was_written_after_a_number_is_told_in_order(filled: Ledger) -> None:
    seq = filled.anchor().seq
    filled.append([then(IncidentAssigned(assignee="bob"), "inc_1")])
    (written,) = filled.written_since(seq)
    assert (written.incident_id, written.event, written.service, written.version) == ("inc_1", "IncidentAssigned", "support", 3)
    assert len(filled.written_since(0, limit=3)) == 3


def test_an_event_is_found_by_its_key(ledger: Ledger) -> None:
    ledger.append([opened(key="k")])
    found = ledger.entry_of_key("k")
    assert found is not None
    assert found.recorded.incident_id == "inc_1"
    assert ledger.entry_of_key("other") is None
