"""An incident to take away: Markdown, HTML, and a JSON bundle whose parts can be checked against the ledger."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from markdown_it import MarkdownIt

from holdfast.core.clock import to_iso
from holdfast.core.incident import Incident
from holdfast.core.score import Metric
from holdfast.ledger.chain import Anchor, Entry
from holdfast.report.analysis import incident_document
from holdfast.report.postmortem import postmortem

EXPORTS = (("md", "Post-mortem (Markdown)"), ("html", "Post-mortem (HTML)"), ("json", "Bundle with evidence (JSON)"))
"""Ending and name of what there is."""

BUNDLE_VERSION = 1

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
    reader = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").disable(["link", "image", "autolink"])
    body = reader.render(markdown(incident, metrics))
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

    The hash of a piece is that of its JSON text with sorted keys and no blanks, UTF-8.
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
                    "body": msgspec.to_builtins(entry.recorded.event),
                    "prev_hash": entry.prev_hash,
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
