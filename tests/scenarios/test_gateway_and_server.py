"""`holdfast up` and `holdfast gateway` on one machine, both as people start them: nothing is configured but free ports."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import orjson
import pytest

from holdfast.control.snapshot import Desired, Guard, GuardPlace
from holdfast.testing.gateway import KEY, GatewayProcess, simple
from holdfast.testing.server import ServerProcess
from holdfast.testing.upstream import UpstreamProcess, wait_until

CHAT = "/v1/chat/completions"
CONTROL = "/api/v1/control"
BODY = {"model": "m", "messages": [{"role": "user", "content": "Where is my refund?"}]}
WITHIN_S = 1.0


class Machine:
    """Server and gateway over one data directory, and an upstream for the gateway to ask."""

    def __init__(self, server: ServerProcess, gateway: GatewayProcess, upstream: UpstreamProcess) -> None:
        self.server, self.gateway, self.upstream = server, gateway, upstream

    def ask(self, **headers: str) -> httpx.Response:
        given = {"authorization": f"Bearer {KEY}"} | headers
        return httpx.post(self.gateway.url + CHAT, json=BODY, headers=given, timeout=30)

    def api(self, method: str, path: str, **what: Any) -> Any:
        answer = httpx.request(method, self.server.api + path, headers=self.server.headers, timeout=30, **what)
        assert answer.is_success, answer.text
        return answer.json()

    def control(self, *words: str) -> Any:
        """`holdfast control …` as a person types it, with the same configuration."""
        config = ["--config", str(self.gateway.config), "--json"]
        command = [sys.executable, "-m", "holdfast", "control", *words, *config]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 0, ended.stderr
        return orjson.loads(ended.stdout)

    def configure(self, desired: Desired, folder: Path) -> None:
        file = folder / "desired.json"
        file.write_bytes(msgspec.json.encode(desired))
        self.control("apply", str(file), "--reason", "a test")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("machine")
    server = ServerProcess(folder)
    ports = {"api_port": server.api, "otlp_http_port": server.otlp}
    given = {name: int(url.rsplit(":", 1)[1]) for name, url in ports.items()}
    gateway = GatewayProcess(folder, None, server=given, **{"otlp_url": None})
    with UpstreamProcess() as upstream:
        # The gateway first: the token that it will show does not exist yet.
        gateway.start()
        try:
            with server:
                found = Machine(server, gateway, upstream)
                found.configure(simple(upstream.url), folder)
                wait_until(lambda: found.ask().status_code == 200)
                yield found
        finally:
            gateway.stop()


def test_the_gateway_takes_its_snapshot_and_is_heard_of(machine: Machine) -> None:
    version = machine.api("GET", CONTROL)["version"]
    wait_until(lambda: [g["report"]["version"] for g in machine.api("GET", f"{CONTROL}/gateways")] == [version])


def test_calls_through_the_gateway_are_in_the_servers_store(machine: Machine) -> None:
    trace_id = machine.ask().headers["traceparent"].split("-")[1]
    machine.server.wait_for(f"/api/v1/traces/{trace_id}", lambda answer: answer.status_code == 200)


def test_a_lease_from_the_command_line_is_in_force_within_a_second_and_gone_as_fast(machine: Machine) -> None:
    took = []
    for _ in range(3):
        lease = machine.control("lease", "kill_route", "--scope", "route=chat", "--reason", "a test")
        took.append(_until(machine, 503))
        machine.control("revoke", lease["id"], "--reason", "it is over")
        took.append(_until(machine, 200))
    assert min(took) < WITHIN_S, took
    assert sorted(took)[len(took) // 2] < 3 * WITHIN_S, took


def test_while_the_server_is_dead_the_gateway_serves_and_what_it_recorded_arrives_later(
    machine: Machine,
) -> None:
    machine.server.kill()
    try:
        answers = [machine.ask() for _ in range(5)]
        assert {answer.status_code for answer in answers} == {200}
    finally:
        machine.server.start()
    for answer in answers:
        trace_id = answer.headers["traceparent"].split("-")[1]
        machine.server.wait_for(f"/api/v1/traces/{trace_id}", lambda found: found.status_code == 200)


def test_a_leased_breaker_is_closed_by_the_gateways_own_judged_probes(machine: Machine, tmp_path: Path) -> None:
    judge = Guard(name="tox", kind="toxicity", place=GuardPlace.OUTPUT)
    machine.configure(simple(machine.upstream.url, machine.upstream.url, guards=(judge,)), tmp_path)
    wait_until(lambda: machine.ask().headers["x-holdfast-target"] == "t0")
    words = ("--arg", "target=t0", "--arg", "judge=tox", "--scope", "tenant=acme", "--reason", "a test")
    lease = machine.control("lease", "open_breaker", *words)
    wait_until(lambda: machine.ask().headers["x-holdfast-target"] == "t1")
    wait_until(lambda: machine.ask().headers["x-holdfast-target"] == "t0", timeout_s=90, step_s=0.1)
    ended = machine.api("GET", f"{CONTROL}/leases/{lease['id']}")
    assert "judged good by tox" in ended["ended_because"], ended


def _until(machine: Machine, status: int) -> float:
    started = time.monotonic()
    wait_until(lambda: machine.ask().status_code == status)
    return time.monotonic() - started
