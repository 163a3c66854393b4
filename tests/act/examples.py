"""One request of every action that makes sense on the example."""

from typing import Any

from holdfast.act.containment import ActionRequest
from holdfast.control.snapshot import Snapshot
from holdfast.testing.control import example_desired

ROUTE = {"route": "support", "tenant": "acme"}
USER = {"user": "mallory"}

ARGUMENTS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "pin_parameters": ({"parameters": {"temperature": 0}}, ROUTE),
    "revert_prompt": ({"prompt": "support"}, ROUTE),
    "quarantine_source": ({"source": "wiki"}, ROUTE),
    "disable_tool": ({"tool": "refund"}, ROUTE),
    "strict_filter": ({"guards": ["injection"], "threshold": 0.3}, ROUTE),
    "throttle_user": ({"requests_per_s": 0.5}, USER),
    "open_breaker": ({"target": "large"}, ROUTE),
    "shift_traffic": ({"weights": {"small": 1}}, ROUTE),
    "downgrade_model": ({"target": "small"}, ROUTE),
    "block_user": ({}, USER),
    "revert_template": ({}, ROUTE),
    "kill_route": ({"retry_after_s": 30}, ROUTE),
}
"""Action to arguments and scope."""

EXAMPLE = Snapshot(version=1, created_ns=1, desired=example_desired())


def request(action: str, **changes: Any) -> ActionRequest:
    arguments, scope = ARGUMENTS[action]
    fields: dict[str, Any] = {
        "action": action,
        "arguments": arguments,
        "scope": scope,
        "ttl_s": 600.0,
        "owner": "inc_1",
        "reason": "the answers are wrong",
    }
    return ActionRequest(**{**fields, **changes})
