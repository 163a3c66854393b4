"""A change is called guilty only where it is more probable than that none did it."""

from dataclasses import replace

import msgspec

from holdfast.core.change import Change, ChangeKind
from holdfast.core.diagnosis import Layer
from holdfast.diagnose.diagnoser import Diagnoser
from holdfast.diagnose.findings import GUILTY, Findings
from tests.diagnose.incidents import END, METRICS, MINUTE, ONSET, SERVICE, Shop, incident, signal

GUILTY_CHANGE = Change(id="c", time_ns=ONSET - MINUTE, kind=ChangeKind.PROMPT, service=SERVICE, to_value="chat-v2")


def found(*changes: Change) -> Findings:
    shop = Shop().upgrade("prompt.version", "chat-v1", "chat-v2")
    shop.break_(["refusal"], lambda d: d["prompt.version"] == ("chat-v2",))
    return Diagnoser(METRICS).find(incident(signal("refusal")), shop.telemetry(*changes), END)


def test_the_change_is_guilty_of_a_prompt_fault() -> None:
    findings = found(GUILTY_CHANGE)
    suspect = findings.guilty(findings.posterior.names.index("over_restrictive_wording"))
    assert suspect is not None
    assert suspect.id == "c"


def test_nobody_is_guilty_of_a_benign_shift_or_long_before_it() -> None:
    findings = found(GUILTY_CHANGE)
    assert findings.guilty(findings.posterior.layers.index(Layer.BENIGN)) is None
    old = msgspec.structs.replace(GUILTY_CHANGE, time_ns=ONSET - 20 * 60 * MINUTE, to_value="", kind=ChangeKind.CODE)
    late = found(old)
    suspect = late.guilty(late.posterior.names.index("attack_campaign"))
    assert suspect is None or suspect.change is None
    assert 0 < GUILTY < 1


def test_a_change_that_came_after_the_incident_was_seen_is_no_suspect() -> None:
    late = msgspec.structs.replace(GUILTY_CHANGE, id="late", time_ns=ONSET + 2 * 60 * MINUTE)
    assert [s.id for s in found(GUILTY_CHANGE, late).suspects if s.id == "late"] == []


def test_a_change_for_which_only_its_kind_speaks_is_not_named() -> None:
    findings = found(GUILTY_CHANGE)
    innocent = replace(findings.suspects[0], log_bayes=-0.2)
    index = findings.posterior.names.index("over_restrictive_wording")
    assert replace(findings, suspects=(innocent, *findings.suspects[1:])).guilty(index) is None


def test_a_change_that_came_when_calls_failed_already_is_not_named_unless_they_carry_its_value() -> None:
    findings = found(GUILTY_CHANGE)
    index = findings.posterior.names.index("over_restrictive_wording")
    late = replace(findings.suspects[0], time_ns=findings.onset.time_ns + 10 * MINUTE)
    assert replace(findings, suspects=(late, *findings.suspects[1:])).guilty(index) is late
    unseen = replace(late, condition=None)
    assert replace(findings, suspects=(unseen, *findings.suspects[1:])).guilty(index) is None
