"""`holdfast label`: a person's word, through the server where one runs, else straight into the store."""

from pathlib import Path

import pytest

from holdfast.core.label import Label
from holdfast.core.trace import ScoredTrace
from holdfast.settings import load
from holdfast.telemetry.store import TelemetryStore
from tests.cli.conftest import Shell
from tests.cli.served import configured, serving_api
from tests.score.build import llm
from tests.test_calibration import conversation

TRACE, SPAN = f"{1:032x}", llm().span_id
SCORED = [ScoredTrace(conversation(1, "a plain answer"), ())]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return configured(tmp_path)


@pytest.fixture
def stored(config: Path) -> Path:
    with TelemetryStore(load(config).telemetry_dsn) as store:
        store.append(SCORED)
    return config


def kept(config: Path) -> list[Label]:
    with TelemetryStore(load(config).telemetry_dsn) as store:
        return store.labels()


def test_without_a_server_the_label_goes_into_the_store(shell: Shell, stored: Path) -> None:
    told = shell.run("label", TRACE, SPAN, "refusal", "yes", "--actor", "ada", "--note", "it refused", "--config", str(stored))
    assert f"support: {TRACE}/{SPAN} fails by refusal, says ada" in told.stdout
    (label,) = kept(stored)
    assert (label.failed, label.actor, label.note, label.service) == (True, "user:ada", "it refused", "support")


def test_with_a_server_the_label_goes_through_it(shell: Shell, config: Path) -> None:
    with serving_api(config, SCORED) as context:
        told = shell.run("label", TRACE, "-", "refusal", "no", "--actor", "ada", "--config", str(config))
        (label,) = context.telemetry.labels()
    assert "does not fail by refusal" in told.stdout
    assert (label.span_id, label.failed, label.actor) == (SPAN, False, "token:local/ada")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((f"{9:032x}", SPAN, "refusal", "yes"), "no trace"),
        ((TRACE, "f" * 16, "refusal", "yes"), "no call"),
        ((TRACE, SPAN, "nonsense", "yes"), "no metric 'nonsense'"),
        ((TRACE, SPAN, "latency", "yes"), "no metric 'latency'"),
        ((TRACE, SPAN, "refusal", "perhaps"), "'perhaps' is not"),
    ],
    ids=["unknown trace", "unknown span", "unknown metric", "no probability", "neither yes nor no"],
)
def test_a_label_that_makes_no_sense_is_refused(shell: Shell, stored: Path, words: tuple[str, ...], why: str) -> None:
    assert why in shell.run("label", *words, "--config", str(stored), code=2).stderr
    assert kept(stored) == []


def test_the_server_refuses_the_same(shell: Shell, config: Path) -> None:
    with serving_api(config, SCORED):
        told = shell.run("label", TRACE, SPAN, "nonsense", "yes", "--config", str(config), code=2)
    assert "no metric 'nonsense'" in told.stderr
