"""`holdfast calibrate`: says what was learnt, and exits 1 when nothing helps."""

from pathlib import Path

import orjson
import pytest

from holdfast.app.scorers import build_scorers
from holdfast.core.clock import SystemClock
from holdfast.core.label import Label
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.score.refusal import Refusal
from holdfast.settings import load
from holdfast.telemetry.store import TelemetryStore
from tests.cli.conftest import Shell
from tests.cli.served import configured, serving_api
from tests.score.build import llm
from tests.test_calibration import conversation

REFUSED = "I am sorry, but I cannot help you with that request."
COUNT = 120


def traces() -> list[Trace]:
    """Every other one refuses, says the scorer."""
    return [
        conversation(n, REFUSED if n % 2 else f"Ticket {n} was sent to the warehouse this morning.") for n in range(1, COUNT + 1)
    ]


def labels(metric: str = "refusal") -> list[Label]:
    """People think that only half of those do."""
    return [
        Label(
            trace_id=f"{n:032x}",
            span_id=llm().span_id,
            metric=metric,
            failed=n % 4 == 1,
            actor="user:ada",
            time_ns=n,
            service="support",
        )
        for n in range(1, COUNT + 1)
    ]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return configured(tmp_path)


@pytest.fixture
def labelled(config: Path) -> Path:
    with TelemetryStore(load(config).telemetry_dsn) as store:
        store.append([ScoredTrace(trace, ()) for trace in traces()])
        store.append_labels(labels())
    return config


def in_force(config: Path) -> list[str]:
    scorers = build_scorers(load(config), SystemClock())
    return [f"{c.application}/{c.metric}" for c in scorers.calibrator.calibrations]


def test_the_scorer_of_this_test_is_as_sure_as_people_are_not() -> None:
    (score,) = Refusal().score(traces()[0])
    assert score.value > 0.8


def test_what_helps_is_in_force_and_said(shell: Shell, labelled: Path) -> None:
    told = shell.run("calibrate", "support", "--config", str(labelled))
    assert "in force" in told.stdout
    assert in_force(labelled) == ["support/refusal"]


def test_json_has_every_figure(shell: Shell, labelled: Path) -> None:
    (lesson,) = orjson.loads(shell.run("calibrate", "support", "--metric", "refusal", "--json", "--config", str(labelled)).stdout)
    learnt = lesson["learnt"]
    assert (learnt["labels"], learnt["failed"], lesson["refused"]) == (120, 30, "")
    assert learnt["brier_after"] < learnt["brier_before"]
    assert learnt["ece_after"] < learnt["ece_before"]
    assert lesson["calibration"]["application"] == "support"


def test_with_a_server_it_learns_there_and_uses_it_at_once(shell: Shell, config: Path) -> None:
    with serving_api(config, [ScoredTrace(trace, ()) for trace in traces()]) as context:
        context.telemetry.append_labels(labels())
        shell.run("calibrate", "support", "--config", str(config))
        assert context.calibrations is not None
        (found,) = context.calibrations.in_force
    assert found.actor == "token:local"
    assert in_force(config) == ["support/refusal"]


def test_it_can_be_taken_back(shell: Shell, labelled: Path) -> None:
    shell.run("calibrate", "support", "--config", str(labelled))
    shell.run("calibrate", "support", "--metric", "refusal", "--forget", "--config", str(labelled))
    assert in_force(labelled) == []


def test_labels_that_teach_nothing_exit_1_and_say_why(shell: Shell, config: Path) -> None:
    with TelemetryStore(load(config).telemetry_dsn) as store:
        store.append([ScoredTrace(trace, ()) for trace in traces()[:10]])
        store.append_labels(labels()[:20])
    told = shell.run("calibrate", "support", "--config", str(config), code=1)
    assert "refused: 10 labels" in told.stdout
    assert "10 labelled calls are no longer kept" in told.stdout
    assert in_force(config) == []


@pytest.mark.parametrize(
    ("words", "why"),
    [(("bank",), "bank has no labels"), (("support", "--metric", "toxicity"), "no labels for toxicity"),
     (("support", "--metric", "refusal", "--forget"), "is not calibrated"), (("support", "--forget"), "--forget needs --metric")],
    ids=["unknown application", "no labels", "nothing to take back", "what to take back"],
)  # fmt: skip
def test_what_makes_no_sense_exits_2(shell: Shell, labelled: Path, words: tuple[str, ...], why: str) -> None:
    assert why in shell.run("calibrate", *words, "--config", str(labelled), code=2).stderr
