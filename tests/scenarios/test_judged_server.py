"""A judge in the configuration of a running server: late scores, what is owed over a kill, and a judge that dies."""

import json
import os
from pathlib import Path
from threading import Event

import httpx
import pytest

from holdfast.core.clock import NS_PER_S, SystemClock
from holdfast.drills.scenario import Scenario, generate
from holdfast.testing.model_server import Asked, Reply, ScriptedModelServer
from holdfast.testing.server import ServerProcess
from tests.scenarios.test_killed_server import HEADERS, body

VERDICT = Reply(text=json.dumps({"reason": "so", "probability": 0.9}), input_tokens=100, output_tokens=10)
CONFIGURATION = """
[scorers.live_judge]
kind = "judge"
url = "{url}/v1"
model = "judge-1"
rubric = "The answer is rude."
metric = "judged_rude"
reads = ["answer"]
sample = 1.0
timeout_s = 20.0
attempts = 1
api_key_env = "HOLDFAST_TEST_JUDGE_KEY"
"""


class Judge:
    """Answers once it is let."""

    def __init__(self) -> None:
        self.free = Event()

    def __call__(self, asked: Asked) -> Reply:
        self.free.wait(30)
        return VERDICT


def send(running: ServerProcess, seed: int, count: int) -> list[str]:
    """Sends so many traces of just now, and returns their ids."""
    scenario = Scenario(calls=count, seed=seed, hours=0.05, start_ns=SystemClock().now_ns() - 300 * NS_PER_S)
    found = []
    for steps in generate(scenario):
        answer = httpx.post(f"{running.otlp}/v1/traces", content=body(steps.calls), headers=HEADERS, timeout=30)
        assert answer.status_code == 200
        found.append(steps.calls[0].trace_id)
    return found


def counted(running: ServerProcess, outcome: str, least: int) -> int:
    """Waits until the judge ran or failed on so many traces."""
    path = "/api/v1/coverage"
    answer = running.wait_for(path, lambda got: got.json().get("live_judge", {}).get(outcome, 0) >= least)
    return int(answer.json()["live_judge"][outcome])


@pytest.mark.timeout(300)
def test_late_scores_arrive_survive_a_kill_and_a_dead_judge_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_TEST_JUDGE_KEY", "sk-very-secret")
    judge = Judge()
    with ScriptedModelServer(judge) as model:
        (tmp_path / "holdfast.toml").write_text(CONFIGURATION.format(url=model.url))
        with ServerProcess(tmp_path) as running:
            traces = send(running, seed=1, count=12)
            running.wait_for("/api/v1/status", lambda got: got.json()["calls"] > 0)
            running.kill()
            judge.free.set()
            running.start()
            ran = counted(running, "ran", 8)
            label = {"trace_id": traces[0], "metric": "judged_rude", "failed": False}
            said = httpx.post(f"{running.api}/api/v1/labels", json=label, headers=running.headers, timeout=30)
            assert said.status_code == 201
            model.__exit__()
            send(running, seed=2, count=6)
            assert counted(running, "failed", 1) > 0
            assert counted(running, "ran", ran) >= ran
            assert "sk-very-secret" not in running.log
    assert os.environ["HOLDFAST_TEST_JUDGE_KEY"] not in (tmp_path / "holdfast.toml").read_text()
