import pytest

from holdfast.core.call import Guardrail, Kind, Status
from holdfast.score.guardrails import Guardrails
from tests.score.build import call, exchange, llm, scores, trace


def verdict(*verdicts: str) -> dict[str, float]:
    rails = tuple(Guardrail("pii", v) for v in verdicts)
    return {m: s.value for m, s in scores(Guardrails(), trace(llm(guardrails=rails))).items()}


@pytest.mark.parametrize(
    ("said", "blocked"),
    [("allow", 0.0), ("deny", 1.0), ("DENY", 1.0), ("modify", 0.5), ("escalate", 0.5), ("warn", 0.0), ("?", 0.0)],
)
def test_a_denial_is_a_block_and_a_change_half_of_one(said: str, blocked: float) -> None:
    assert verdict(said) == {"guardrail_block": blocked, "guardrail_error": 0.0}


def test_the_worst_verdict_counts() -> None:
    assert verdict("allow", "deny", "modify")["guardrail_block"] == 1.0


def test_a_guardrail_that_failed_is_an_error() -> None:
    assert verdict("allow", "error")["guardrail_error"] == 1.0


def test_a_guardrail_span_in_error_is_one_too() -> None:
    found = scores(Guardrails(), trace(call(Kind.GUARDRAIL, 2, status=Status.ERROR, name="toxicity"), llm()))
    assert found["guardrail_error"].value == 1.0
    assert found["guardrail_error"].why == "toxicity failed"
    assert "guardrail_block" not in found


def test_without_guardrails_it_does_not_apply() -> None:
    assert not scores(Guardrails(), exchange("hi"))
