"""Every kind of guard, one line each. To add one: a function that makes a judge, a line here, a test."""

from holdfast.control.snapshot import GuardPlace
from holdfast.gateway.guards import scored, sensitive, tools
from holdfast.gateway.guards.protocol import Action, GuardKind

_IN, _OUT = frozenset({GuardPlace.INPUT}), frozenset({GuardPlace.OUTPUT})

KINDS: dict[str, GuardKind] = {
    kind.name: kind
    for kind in (
        GuardKind("injection", _IN, scored.injection, action=Action.REFUSE),
        GuardKind("unsafe_request", _IN, scored.unsafe_request, action=Action.REFUSE),
        GuardKind("secrets_in_prompt", _IN, sensitive.secrets_in_prompt, action=Action.REFUSE),
        GuardKind("sensitive_output", _OUT, sensitive.sensitive_output, window=160, action=Action.REDACT),
        GuardKind("toxicity", _OUT, scored.toxicity, window=240),
        GuardKind("unsafe_output", _OUT, scored.unsafe_output, window=0),
        GuardKind("policy", _OUT, scored.policy, window=240),
        GuardKind("groundedness", _OUT, scored.groundedness, window=0),
        GuardKind("canary_leak", _OUT, scored.leak, window=320),
        GuardKind("prompt_leak", _OUT, scored.prompt_leak, window=320),
        GuardKind("schema", _OUT, scored.schema, window=0),
        GuardKind("tool_allow_list", _IN | _OUT, tools.tool_allow_list, window=1, action=Action.REFUSE),
    )
}
"""Kind → how it is made. What a guard of the snapshot names in `kind`."""
