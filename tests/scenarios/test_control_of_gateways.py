"""The control plane and real gateways together: what people decide is what requests meet, soon, and for as long as meant."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.access.access import TokenOrder
from holdfast.access.roles import Identity, Role
from holdfast.testing.control_server import ControlServer
from holdfast.testing.gateway import KEY, GatewayProcess, simple
from holdfast.testing.upstream import UpstreamProcess, wait_until

BASE = "/api/v1/control"
CHAT = "/v1/chat/completions"
BODY = {"model": "m", "user": "mallory", "messages": [{"role": "user", "content": "hi"}]}
HEADERS = {"authorization": f"Bearer {KEY}"}
WITHIN_S = 1.0
"""What is promised from a change to its effect on every gateway."""


class Fleet:
    """Two gateways of one control plane over one upstream."""

    def __init__(self, server: ControlServer, gateways: tuple[GatewayProcess, ...]) -> None:
        self.server, self.gateways = server, gateways

    def ask(self, gateway: GatewayProcess) -> httpx.Response:
        return httpx.post(gateway.url + CHAT, json=BODY, headers=HEADERS, timeout=30)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = httpx.post(f"{self.server.url}{BASE}{path}", json=body, headers=self.server.headers, timeout=30)
        assert answer.is_success, answer.text
        return answer.json()

    def apply(self, action: str, scope: dict[str, str], **changes: Any) -> Any:
        return self.post(
            "/leases", {"action": action, "scope": scope, "ttl_s": 600, "owner": "inc_1", "reason": "a test", **changes}
        )

    def until_all(self, status: int) -> float:
        """Seconds until every gateway answers so."""
        started = time.monotonic()
        for gateway in self.gateways:
            wait_until(lambda gateway=gateway: self.ask(gateway).status_code == status)
        return time.monotonic() - started

    def reports(self) -> dict[str, Any]:
        found = httpx.get(f"{self.server.url}{BASE}", headers=self.server.headers, timeout=30).json()
        return {gateway["id"]: gateway["report"] for gateway in found["gateways"]}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    folders = [tmp_path / name for name in ("server", "one", "two")]
    for folder in folders:
        folder.mkdir()
    with UpstreamProcess() as upstream, ControlServer(folders[0]) as server:
        server.configure(simple(upstream.url))
        root = Identity(actor="user:root", grants={"*": Role.ADMIN})
        order = TokenOrder(name="gateways", grants={"*": "viewer"}, scopes=("write:control",))
        token = server.context.access.issue_token(root, order).secret
        gateways = tuple(
            GatewayProcess(folder, None, server_url=server.url, server_token=token, id=folder.name) for folder in folders[1:]
        )
        try:
            for gateway in gateways:
                gateway.start()
            found = Fleet(server, gateways)
            found.until_all(200)
            yield found
        finally:
            for gateway in gateways:
                gateway.stop()


def test_a_containment_is_in_force_on_every_gateway_within_a_second_and_gone_as_fast(fleet: Fleet) -> None:
    took = []
    for _ in range(3):
        lease = fleet.apply("kill_route", {"route": "chat"}, arguments={"retry_after_s": 7})
        took.append(fleet.until_all(503))
        assert fleet.ask(fleet.gateways[0]).headers["retry-after"] == "7"
        fleet.post(f"/leases/{lease['id']}/revoke", {"reason": "it is over"})
        took.append(fleet.until_all(200))
    assert min(took) < WITHIN_S, took
    assert sorted(took)[len(took) // 2] < 3 * WITHIN_S, took


def test_a_blocked_user_is_told_the_id_that_support_lifts(fleet: Fleet) -> None:
    lease = fleet.apply("block_user", {"user": "mallory"})
    fleet.until_all(403)
    block_id = fleet.ask(fleet.gateways[0]).headers["x-holdfast-block-id"]
    assert block_id == lease["effect"]["block_id"]
    fleet.post(f"/blocks/{block_id}/lift", {"reason": "a mistake"})
    fleet.until_all(200)


def test_a_lease_ends_in_time_on_a_gateway_that_has_lost_its_server(fleet: Fleet) -> None:
    fleet.apply("kill_route", {"route": "chat"}, ttl_s=6)
    fleet.until_all(503)
    fleet.server.stop()
    assert fleet.ask(fleet.gateways[0]).status_code == 503
    fleet.until_all(200)


def test_gateways_say_what_they_run(fleet: Fleet) -> None:
    version = fleet.server.plane.store.snapshot.version
    wait_until(lambda: {name: report["version"] for name, report in fleet.reports().items()} == {"one": version, "two": version})
    fleet.post("/red-button", {"pressed": True, "reason": "it errs"})
    wait_until(lambda: {report["version"] for report in fleet.reports().values()} == {version + 1})
