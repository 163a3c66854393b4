"""The authorisation matrix of the control plane: every endpoint × every role. An endpoint that is in nobody's row fails."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.planes import BASE, PlaneClient, planes

ROLES = ("viewer", "responder", "approver", "admin")
LEASE = {
    "action": "disable_tool",
    "arguments": {"tool": "x"},
    "scope": {"route": "support"},
    "ttl_s": 60,
    "owner": "o",
    "reason": "r",
}
WHY = {"reason": "r"}

WEAKEST: dict[str, tuple[str, dict[str, Any] | None]] = {
    "GET ": ("viewer", None),
    "GET /snapshot": ("viewer", None),
    "GET /history": ("viewer", None),
    "GET /actions": ("viewer", None),
    "GET /leases": ("viewer", None),
    "GET /leases/{lease_id}": ("viewer", None),
    "GET /blocks/{block_id}": ("viewer", None),
    "GET /prompts": ("viewer", None),
    "GET /prompts/{name}": ("viewer", None),
    "GET /gateways": ("viewer", None),
    "GET /probes": ("viewer", None),
    "POST /gateways/{gateway_id}/report": ("viewer", {"version": 1, "started_ns": 1}),
    "POST /probes": ("responder", {"target": "large", "good": True, "judge": "j"}),
    "POST /probes/answers": (
        "responder",
        {"lease_id": "l", "target": "large", "judge": "j", "trace_id": "t", "call": "e30="},
    ),
    "POST /red-button": ("responder", {"pressed": True, "reason": "r"}),
    "POST /blocks/{block_id}/lift": ("responder", WHY),
    "POST /leases/plan": ("approver", LEASE),
    "POST /leases": ("approver", LEASE),
    "POST /leases/{lease_id}/renew": ("approver", {"ttl_s": 60, **WHY}),
    "POST /leases/{lease_id}/revoke": ("approver", WHY),
    "POST /prompts/{name}/rollback": ("approver", WHY),
    "POST /prompts/{name}/versions": ("admin", {"version": "v3", "text": "x", **WHY}),
    "PUT /desired": ("admin", {"desired": {}, **WHY}),
}
"""Endpoint to the weakest role that may, and a body that makes sense."""

STREAMS = ("GET /stream",)
"""Its right is that of the snapshot, and it does not end: see `test_control.py`."""


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlaneClient]:
    with planes(Path(tmp_path_factory.mktemp("matrix"))) as found:
        yield found


def test_every_endpoint_is_in_a_row(plane: PlaneClient) -> None:
    app: Any = plane.client.app
    served = {
        f"{method.upper()} {path.removeprefix(BASE)}"
        for path, operations in app.openapi()["paths"].items()
        if path.startswith(BASE)
        for method in operations
    }
    assert served == {*WEAKEST, *STREAMS}


@pytest.mark.parametrize("endpoint", sorted(WEAKEST), ids=lambda endpoint: endpoint.replace("/", "."))
def test_each_role_gets_what_it_may_and_no_more(plane: PlaneClient, endpoint: str) -> None:
    weakest, body = WEAKEST[endpoint]
    method, _, path = endpoint.partition(" ")
    known = {
        "{lease_id}": plane.apply(arguments={"tool": "y"}).json()["id"],
        "{block_id}": plane.apply("block_user", arguments={}, scope={"user": "u"}).json()["effect"]["block_id"],
        "{name}": "support",
        "{gateway_id}": "g1",
    }
    for placeholder, value in known.items():
        path = path.replace(placeholder, value)
    for role in ("nobody", *ROLES):
        headers = plane.token({"*": role}) if role in ROLES else {"Authorization": ""}
        status = plane.client.request(method, BASE + path, json=body, headers=headers).status_code
        if role == "nobody":
            assert status == 401
        else:
            may = ROLES.index(role) >= ROLES.index(weakest)
            assert (status == 403) is not may, (role, status)
            assert status < 500


def test_the_admin_of_another_application_changes_nothing(plane: PlaneClient) -> None:
    stranger = plane.token({"another": "admin"})
    for endpoint, (_, body) in WEAKEST.items():
        method, _, path = endpoint.partition(" ")
        path = path.replace("{lease_id}", plane.apply(arguments={"tool": "z"}).json()["id"]).replace("{name}", "support")
        status = plane.client.request(method, BASE + path, json=body, headers=stranger).status_code
        assert status in (403, 404) or endpoint == "GET /blocks/{block_id}", (endpoint, status)


@pytest.mark.parametrize("scope", ["read:control", "write:incidents"])
def test_a_token_for_something_else_changes_nothing(plane: PlaneClient, scope: str) -> None:
    headers = plane.token({"*": "admin"}, scope)
    for endpoint, (_, body) in WEAKEST.items():
        method, _, path = endpoint.partition(" ")
        if method != "GET":
            assert plane.client.request(method, BASE + path, json=body, headers=headers).status_code == 403, endpoint
