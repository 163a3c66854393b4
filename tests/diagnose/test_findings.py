"""A change is called guilty only where it is more probable than that none did it."""

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
