import pytest

from holdfast.core.trace import Trace
from holdfast.drills.decoys.benign_changes import ADVICE, DECOYS
from holdfast.drills.scenario import Scenario, play, prepare
from tests.drills.effects import refuses


def run(name: str, calls: int = 800) -> tuple[list[Trace], list[Trace]]:
    """Traces before and after the decoy began."""
    prepared = prepare(Scenario(decoy=name, calls=calls, fault_at=0.5))
    traces = [Trace(steps.calls[0].trace_id, steps.calls) for steps in play(prepared)]
    return [t for t in traces if t.start_ns < prepared.moment_ns], [t for t in traces if t.start_ns >= prepared.moment_ns]


@pytest.mark.parametrize("name", [decoy.name for decoy in DECOYS])
def test_a_benign_change_is_announced_at_its_moment(name: str) -> None:
    prepared = prepare(Scenario(decoy=name, calls=10))
    assert any(change.time_ns == prepared.moment_ns for change in prepared.changes)


def test_a_benign_prompt_deploy_brings_a_new_version() -> None:
    before, after = run("benign_prompt_deploy", 300)
    assert ("chat-v8",) not in {t.dimensions["prompt.version"] for t in before}
    assert ("chat-v8",) in {t.dimensions["prompt.version"] for t in after}


def test_a_benign_model_deploy_answers_with_the_next_model() -> None:
    _, after = run("benign_model_deploy", 300)
    assert {t.dimensions["model"] for t in after} == {("gpt-4.1-2026-09",)}


def test_a_policy_brings_refusals_to_those_who_ask_for_advice_only() -> None:
    _, after = run("policy_refusals", 1500)
    advice = [t for t in after if t.question in ADVICE]
    assert len(advice) >= 5
    assert all(refuses(t) for t in advice)


def test_a_slow_provider_is_slow_for_everybody() -> None:
    before, after = run("latency_spike")
    mean = [sum(t.root.duration_ms for t in traces) / len(traces) for traces in (before, after)]
    assert mean[1] > 1.6 * mean[0]
