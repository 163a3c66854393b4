"""Exports stand by themselves and can be checked."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from holdfast.core.errors import InputError
from holdfast.core.events import CommentAdded, Recorded, fold
from holdfast.core.incident import Incident
from holdfast.core.score import Metric
from holdfast.ledger.chain import Anchor, Entry, entry_of, row_of
from holdfast.report.export import bundle, evidence_hash, html, markdown, problems_of
from tests.report.conftest import MINUTE, START, events

HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) ![i](https://evil.example/i.png) <https://evil.example>"


def entries() -> list[Entry]:
    found, previous = [], Anchor(0, "0" * 64)
    for version, recorded in enumerate(events(), start=1):
        row = row_of(recorded, version, previous)
        previous = Anchor(row["seq"], row["hash"])
        found.append(entry_of(row))
    return found


def test_the_page_holds_what_the_post_mortem_says(incident: Incident, metrics: dict[str, Metric]) -> None:
    page = html(incident, metrics)
    assert "<h1>Post-mortem: Hallucination rose</h1>" in page
    assert "<table>" in page


def test_nothing_that_telemetry_wrote_is_markup_or_a_link(metrics: dict[str, Metric]) -> None:
    comment = Recorded(incident_id="inc_1", time_ns=START + 3 * MINUTE, actor=HOSTILE, event=CommentAdded(text=HOSTILE))
    page = html(fold([*events(), comment]), metrics)
    for markup in ("<script", "<a ", "<img", 'javascript:alert(1)"', 'src="'):
        assert markup not in page


def test_the_markdown_is_the_post_mortem(incident: Incident, metrics: dict[str, Metric]) -> None:
    assert markdown(incident, metrics).startswith("# Post-mortem")


def test_the_bundle_chains_its_events_and_hashes_its_evidence(incident: Incident, metrics: dict[str, Metric]) -> None:
    trace = {"trace_id": "a" * 32, "b": 1, "a": {"z": 1, "y": 2}}
    made = json.loads(msgspec.json.encode(bundle(incident, metrics, entries(), Anchor(9, "f" * 64), {"a" * 32: trace})))
    listed = made["ledger"]["events"]
    assert [event["row"][8] for event in listed[1:]] == [event["hash"] for event in listed[:-1]]
    (piece,) = made["evidence"]
    assert evidence_hash(piece["trace"]) == piece["sha256"]
    assert made["ledger"]["anchor"] == {"seq": 9, "hash": "f" * 64}


@pytest.mark.parametrize("changed", [{"b": 2}, {"a": {"z": 1}}, {}])
def test_evidence_that_was_changed_has_another_hash(changed: dict[str, object]) -> None:
    trace = {"b": 1, "a": {"z": 1, "y": 2}}
    assert (evidence_hash({**trace, **changed}) == evidence_hash(trace)) == (not changed)
    assert evidence_hash(dict(reversed(trace.items()))) == evidence_hash(trace)


def made(incident: Incident, metrics: dict[str, Metric]) -> Any:
    trace = {"trace_id": "a" * 32, "cost": 0.25, "text": "Grüße", "none": None}
    return json.loads(msgspec.json.encode(bundle(incident, metrics, entries(), Anchor(9, "f" * 64), {"a" * 32: trace})))


def test_a_bundle_as_it_was_made_has_no_problems(incident: Incident, metrics: dict[str, Metric]) -> None:
    found = made(incident, metrics)
    assert problems_of(found) == []
    assert problems_of(json.loads(json.dumps(found, indent=4, sort_keys=True))) == []


def test_its_hashes_can_be_checked_without_us(incident: Incident, metrics: dict[str, Metric]) -> None:
    found = made(incident, metrics)
    for event in found["ledger"]["events"]:
        text = json.dumps(event["row"], separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(text.encode()).hexdigest() == event["hash"]
    (piece,) = found["evidence"]
    text = json.dumps(piece["trace"], separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest() == piece["sha256"]


TAMPERED: dict[str, tuple[Callable[[Any], object], str]] = {
    "evidence": (lambda b: b["evidence"][0]["trace"].update(text="Gruss"), "evidence a"),
    "row": (lambda b: b["ledger"]["events"][0]["row"].__setitem__(4, "user:eve"), "event 1: was changed"),
    "hash": (lambda b: b["ledger"]["events"][0].update(hash="0" * 64), "event 1: was changed"),
    "actor": (lambda b: b["ledger"]["events"][0].update(actor="user:eve"), "event 1: is told otherwise"),
    "time": (lambda b: b["ledger"]["events"][0].update(time="2020-01-01T00:00:00.000Z"), "event 1: is told otherwise"),
    "a time that no calendar has": (lambda b: b["ledger"]["events"][0]["row"].__setitem__(3, 10**30), "event 1: was changed"),
    "a body that is no JSON": (lambda b: b["ledger"]["events"][0]["row"].__setitem__(6, "{"), "event 1: its body"),
    "another incident": (lambda b: b["ledger"]["events"][0]["row"].__setitem__(1, "inc_2"), "several incidents"),
    "body": (lambda b: b["ledger"]["events"][0]["body"].update(title="Nothing happened"), "event 1: its body"),
    "first missing": (lambda b: b["ledger"]["events"].pop(0), "missing"),
    "order": (lambda b: b["ledger"]["events"].reverse(), "another order"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_changed_afterwards_is_named(incident: Incident, metrics: dict[str, Metric], what: str) -> None:
    change, told = TAMPERED[what]
    found = made(incident, metrics)
    change(found)
    assert told in "; ".join(problems_of(found))


@pytest.mark.parametrize(
    "value", [None, 7, [], {}, {"holdfast_bundle": 1}, {"holdfast_bundle": 2, "ledger": {"events": [{}]}}], ids=repr
)
def test_what_is_no_bundle_is_said_to_be_none(value: object) -> None:
    with pytest.raises(InputError, match="bundle"):
        problems_of(value)
