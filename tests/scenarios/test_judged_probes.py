"""A breaker that waits for a judge of the server's: answers to probes go there, and it closes on the verdicts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.testing.gateway import GatewayProcess, simple
from holdfast.testing.model_server import Asked, Reply, ScriptedModelServer
from holdfast.testing.server import ServerProcess
from holdfast.testing.upstream import Behaviour, UpstreamProcess, wait_until
from tests.scenarios.test_gateway_and_server import CONTROL, Machine

CONFIGURATION = """
[scorers.outside]
kind = "judge"
url = "{url}/v1"
model = "judge-1"
rubric = "The answer is rude."
metric = "judged_rude"
reads = ["question", "answer"]
sample = 0.000001
timeout_s = 5.0
attempts = 1
"""
RUDE, KIND, ANY = "You are a fool.", "It comes today.", "Who knows?"


class Outside:
    """The judge's model: finds rude what is; `away`: it answers nobody."""

    def __init__(self) -> None:
        self.away = False

    def __call__(self, asked: Asked) -> Reply:
        if self.away:
            return Reply(status=503, text="away")
        rude = RUDE in json.dumps(asked.body)
        return Reply(text=json.dumps({"reason": "it reads so", "probability": 0.9 if rude else 0.1}))


def says(text: str) -> Behaviour:
    return Behaviour(reply=Reply(text=text))


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def machine(tmp_path: Path, outside: Outside) -> Iterator[Machine]:
    server = ServerProcess(tmp_path)
    ports = {"api_port": server.api, "otlp_http_port": server.otlp}
    given = {name: int(url.rsplit(":", 1)[1]) for name, url in ports.items()}
    gateway = GatewayProcess(tmp_path, None, server=given, **{"otlp_url": None})
    with ScriptedModelServer(outside) as model, UpstreamProcess(says(RUDE)) as upstream, UpstreamProcess() as well:
        with gateway.config.open("a") as config:
            config.write(CONFIGURATION.format(url=model.url))
        gateway.start()
        try:
            with server:
                found = Machine(server, gateway, upstream)
                found.configure(simple(upstream.url, well.url), tmp_path)
                wait_until(lambda: found.ask().headers.get("x-holdfast-target") == "t0")
                yield found
        finally:
            gateway.stop()


def verdicts(machine: Machine) -> list[dict[str, Any]]:
    """What was said of probes so far, while users go on asking."""
    machine.ask()
    found: list[dict[str, Any]] = machine.api("GET", f"{CONTROL}/probes")
    return found


@pytest.mark.timeout(180)
def test_a_leased_breaker_is_closed_by_a_judge_outside_of_the_gateway(machine: Machine, outside: Outside) -> None:
    words = ("--arg", "target=t0", "--arg", "judge=outside", "--scope", "tenant=acme", "--reason", "a test")
    lease = machine.control("lease", "open_breaker", *words)
    wait_until(lambda: machine.ask().headers["x-holdfast-target"] == "t1")
    wait_until(lambda: verdicts(machine), timeout_s=30, step_s=0.1)
    first = verdicts(machine)[0]
    assert (first["good"], first["judge"], first["lease_id"]) == (False, "outside", lease["id"])
    assert first["reason"] == "judged_rude 0.90: it reads so"

    outside.away = True
    machine.upstream.behave(says(ANY))
    wait_until(lambda: verdicts(machine)[-1]["good"] is None, timeout_s=30, step_s=0.1)
    assert "503" in verdicts(machine)[-1]["reason"]
    assert machine.ask().headers["x-holdfast-target"] == "t1"

    outside.away = False
    machine.upstream.behave(says(KIND))
    wait_until(lambda: machine.ask().headers["x-holdfast-target"] == "t0", timeout_s=60, step_s=0.1)
    ended = machine.api("GET", f"{CONTROL}/leases/{lease['id']}")
    assert ended["ended_because"] == "its last probes were judged good by outside"
