"""Clients of a control plane, by role."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from fastapi.testclient import TestClient

from holdfast.access.access import TokenOrder
from holdfast.access.roles import Identity, Role
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.context.redact import RedactionPolicy, Redactor
from holdfast.control.snapshot import Desired
from holdfast.ledger.store import Ledger
from holdfast.probe_judging import Judge, ProbeJudging
from holdfast.score.calibrator import Calibrator
from holdfast.testing.clock import FakeClock
from holdfast.testing.control import example_desired
from holdfast.testing.control_server import ADMIN, control_context

BASE = "/api/v1/control"
ROOT = Identity(actor="user:root", grants={"*": Role.ADMIN})


class PlaneClient:
    """A served plane with the example configured at version 1."""

    def __init__(self, client: TestClient, context: ApiContext, clock: FakeClock) -> None:
        self.client, self.context, self.clock = client, context, clock

    def get(self, path: str = "", **more: Any) -> Any:
        return self.client.get(BASE + path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.client.post(BASE + path, json=body, **more)

    def put_desired(self, desired: Desired, version: int | None, reason: str = "a test", **more: Any) -> Any:
        headers = {"If-Match": f'"{version}"'} if version is not None else {}
        body = {"desired": msgspec.to_builtins(desired), "reason": reason}
        return self.client.put(f"{BASE}/desired", json=body, headers=headers, **more)

    def apply(self, action: str = "disable_tool", **changes: Any) -> Any:
        body = {
            "action": action,
            "arguments": {"tool": "refund"},
            "scope": {"route": "support"},
            "ttl_s": 600,
            "owner": "inc_1",
            "reason": "it refunds everybody",
        }
        return self.post("/leases", {**body, **changes})

    def token(self, grants: dict[str, str], *scopes: str) -> dict[str, str]:
        """Headers of a new token with these rights."""
        order = TokenOrder(name="ci", grants=grants, scopes=scopes)
        return {"Authorization": f"Bearer {self.context.access.issue_token(ROOT, order).secret}"}

    @property
    def version(self) -> int:
        found: int = self.get().json()["version"]
        return found


@contextmanager
def planes(folder: Path, *judges: Judge) -> Iterator[PlaneClient]:
    """Served in this process, with these judges of probes."""
    clock = FakeClock()
    with Ledger(f"sqlite:///{folder}/ledger.sqlite") as ledger:
        judging = ProbeJudging(judges, Calibrator(), Redactor(RedactionPolicy(), b"0123456789abcdef"), clock) if judges else None
        context = msgspec.structs.replace(control_context(ledger, clock), probe_judging=judging)
        try:
            with TestClient(create_app(context), headers={"Authorization": f"Bearer {ADMIN}"}) as client:
                plane = PlaneClient(client, context, clock)
                assert plane.put_desired(example_desired(), 0).status_code == 200
                yield plane
        finally:
            if judging is not None:
                judging.close()
