"""The post-mortem says what is known, and what is not."""

import msgspec

from holdfast.core.events import fold
from holdfast.core.incident import Incident
from holdfast.core.score import Metric
from holdfast.report.postmortem import condensed, postmortem
from tests.report.conftest import events


def test_it_names_cause_cohort_change_and_impact(incident: Incident, metrics: dict[str, Metric]) -> None:
    text = postmortem(incident, metrics)
    for expected in (
        "prompt_engineering",
        "prompt.version=v2",
        "deploy-7",
        "9 to 24",
        "hallucination",
        "roll prompt.version back",
    ):
        assert expected in text


def test_who_attacked_is_listed_and_their_names_are_quoted(campaign: Incident, metrics: dict[str, Metric]) -> None:
    text = postmortem(campaign, metrics)
    assert "affected: users who attack, see below" in text
    assert "| 7 | 9 | 2023-11-14T22:13:20.000Z | 2023-11-14T22:18:20.000Z | yes |" in text
    row = next(line for line in text.splitlines() if "mallory" in line)
    assert "`mallory" in row
    assert row.replace("\\|", "").count("|") == 7


def test_a_doubtful_diagnosis_is_called_a_hypothesis(metrics: dict[str, Metric]) -> None:
    assert "treat it as a hypothesis" in postmortem(fold(events(probability=0.5)), metrics)
    assert "treat it as a hypothesis" not in postmortem(fold(events(probability=0.9)), metrics)


def test_what_nobody_did_is_said(incident: Incident, metrics: dict[str, Metric]) -> None:
    text = postmortem(incident, metrics)
    assert "acknowledged: not recorded" in text
    assert "The harm has not stopped yet." in text


def test_without_a_diagnosis_the_cause_is_unknown(incident: Incident, metrics: dict[str, Metric]) -> None:
    assert "Unknown: no diagnosis was made." in postmortem(msgspec.structs.replace(incident, diagnosis=None), metrics)


def test_markup_in_telemetry_is_made_harmless(incident: Incident, metrics: dict[str, Metric]) -> None:
    hostile = msgspec.structs.replace(incident, title="<img src=x onerror=alert(1)> ![x](http://evil) | `rm`\n# Owned")
    first, *rest = postmortem(hostile, metrics).splitlines()
    assert "\\<img" in first
    assert "!\\[x\\](" in first.replace("\\!", "!")
    assert not any(line.startswith("# Owned") for line in rest)


def test_a_code_span_cannot_be_left(incident: Incident, metrics: dict[str, Metric]) -> None:
    hostile = msgspec.structs.replace(incident, service="a` <script> `b")
    assert "`a' <script> 'b`" in postmortem(hostile, metrics)


def test_further_signals_are_counted_not_listed(incident: Incident) -> None:
    joined = [entry for entry in incident.timeline if entry.event == "SignalJoined"]
    lines = condensed([*incident.timeline[:1], *joined * 3, *incident.timeline[2:]])
    assert len(lines) == len(incident.timeline)
    assert lines[1].text.endswith(", and 2 more")
