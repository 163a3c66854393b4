"""Exports stand by themselves and can be checked."""

import json

import msgspec
import pytest

from holdfast.core.events import CommentAdded, Recorded, fold
from holdfast.core.incident import Incident
from holdfast.core.score import Metric
from holdfast.ledger.chain import Anchor, Entry, row_of
from holdfast.report.export import bundle, evidence_hash, html, markdown
from tests.report.conftest import MINUTE, START, events

HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) ![i](https://evil.example/i.png) <https://evil.example>"


def entries() -> list[Entry]:
    found, previous = [], Anchor(0, "0" * 64)
    for version, recorded in enumerate(events(), start=1):
        row = row_of(recorded, version, previous)
        previous = Anchor(row["seq"], row["hash"])
        found.append(Entry(seq=row["seq"], version=version, recorded=recorded, prev_hash=row["prev_hash"], hash=row["hash"]))
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
    assert [event["prev_hash"] for event in listed[1:]] == [event["hash"] for event in listed[:-1]]
    (piece,) = made["evidence"]
    assert evidence_hash(piece["trace"]) == piece["sha256"]
    assert made["ledger"]["anchor"] == {"seq": 9, "hash": "f" * 64}


@pytest.mark.parametrize("changed", [{"b": 2}, {"a": {"z": 1}}, {}])
def test_evidence_that_was_changed_has_another_hash(changed: dict[str, object]) -> None:
    trace = {"b": 1, "a": {"z": 1, "y": 2}}
    assert (evidence_hash({**trace, **changed}) == evidence_hash(trace)) == (not changed)
    assert evidence_hash(dict(reversed(trace.items()))) == evidence_hash(trace)
