from typing import Any

import pytest

from holdfast.control.effects import (
    Block,
    DisableTool,
    Effect,
    EnforceGuards,
    OpenBreaker,
    PinParameters,
    QuarantineSource,
    Refuse,
    ShiftTraffic,
    Throttle,
    UseModel,
    UsePrompt,
    UseTemplate,
)
from holdfast.control.lease_rules import MAX_LEASES, MAX_TTL_S, lease_problems, ttl_ns, ttl_problems
from tests.control.examples import NOW, lease, snapshot


def told(effect: Effect | None = None, **changes: Any) -> list[str]:
    return [str(problem) for problem in lease_problems(snapshot(lease(effect, **changes)))]


USER = {"user": "u1"}


@pytest.mark.parametrize(
    "effect",
    [
        UseModel(target="small"),
        UseTemplate(template="sorry"),
        EnforceGuards(guards=("pii",), threshold=0.0),
        UsePrompt(prompt="support", version="v1"),
        PinParameters(parameters={"temperature": 0}),
        DisableTool(tool="refund"),
        QuarantineSource(source="wiki pages/é"),
        OpenBreaker(target="large"),
        ShiftTraffic(weights={"small": 1}),
        Refuse(retry_after_s=0),
    ],
    ids=lambda effect: type(effect).__name__,
)
def test_a_lease_that_makes_sense_has_no_problems(effect: Effect) -> None:
    assert told(effect) == []
    assert told(Throttle(requests_per_s=1), scope=USER) == told(Block(block_id="blk_1"), scope=USER) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"scope": {}}, "leases[lse_1].scope: is empty"),
        ({"scope": {"colour": "red"}}, "leases[lse_1].scope[colour]: is no dimension"),
        ({"share": 0.0}, "leases[lse_1].share"),
        ({"share": 1.1}, "leases[lse_1].share"),
        ({"traffic": -0.1}, "leases[lse_1].traffic"),
        ({"users": -1}, "leases[lse_1].users"),
        ({"owner": " "}, "leases[lse_1].owner"),
        ({"actor": ""}, "leases[lse_1].actor"),
        ({"reason": ""}, "leases[lse_1].reason"),
        ({"reason": "x" * 2_001}, "leases[lse_1].reason"),
        ({"expires_ns": NOW}, "leases[lse_1].expires_ns: is not after its grant"),
        ({"id": "a b"}, "leases[a b].id"),
    ],
    ids=str,
)
def test_what_a_lease_must_say_is_asked_for(changes: dict[str, Any], expected: str) -> None:
    assert any(problem.startswith(expected) for problem in told(**changes)), told(**changes)


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (UseModel(target="gone"), "target: there is no target 'gone'"),
        (UseTemplate(template="gone"), "template: there is no template 'gone'"),
        (EnforceGuards(guards=()), "guards: is empty"),
        (EnforceGuards(guards=("gone",)), "guards: there is no guard 'gone'"),
        (EnforceGuards(guards=("pii",), threshold=2.0), "threshold"),
        (UsePrompt(prompt="gone", version="v1"), "prompt: there is no prompt 'gone'"),
        (UsePrompt(prompt="support", version="v9"), "version: there is no version of prompt support 'v9'"),
        (PinParameters(parameters={}), "parameters: is empty"),
        (PinParameters(parameters={"messages": []}), "parameters[messages]: is part of the request itself"),
        (PinParameters(parameters={"a b": 1}), "parameters: 'a b' is no name"),
        (DisableTool(tool=""), "tool: is empty"),
        (QuarantineSource(source=" "), "source: is empty"),
        (OpenBreaker(target="gone"), "target: there is no target 'gone'"),
        (ShiftTraffic(weights={"gone": 1}), "weights: there is no target 'gone'"),
        (ShiftTraffic(weights={"small": -1}), "weights[small]"),
        (ShiftTraffic(weights={"small": 0}), "weights: have no weight at all"),
        (ShiftTraffic(weights={}), "weights: have no weight at all"),
        (Refuse(retry_after_s=-1), "retry_after_s"),
        (Throttle(requests_per_s=0), "requests_per_s"),
        (Block(block_id=""), "block_id: is empty"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value[:20],
)
def test_an_effect_that_leads_nowhere_is_refused_with_its_place(effect: Effect, expected: str) -> None:
    assert any(problem.startswith(f"leases[lse_1].effect.{expected}") for problem in told(effect)), told(effect)


@pytest.mark.parametrize("effect", [Throttle(requests_per_s=1), Block(block_id="b")], ids=["throttle", "block"])
def test_the_abusing_user_is_limited_and_never_everyone(effect: Effect) -> None:
    assert any("must name the user" in problem for problem in told(effect, scope={"tenant": "acme"}))


def test_ids_and_order_are_unambiguous() -> None:
    twice = [str(p) for p in lease_problems(snapshot(lease(), lease(number=2, id="lse_1")))]
    assert twice == ["leases: 'lse_1' is there twice"]
    crossed = [str(p) for p in lease_problems(snapshot(lease(number=2), lease(number=1)))]
    assert crossed == ["leases: do not stand in the order in which they were granted"]


def test_leases_are_bounded() -> None:
    assert any("at most" in str(p) for p in lease_problems(snapshot(*(lease(number=n) for n in range(1, MAX_LEASES + 2)))))


@pytest.mark.parametrize("ttl_s", [0.0, -1.0, 0.5, MAX_TTL_S + 1, float("nan"), float("inf")], ids=str)
def test_a_lease_lasts_neither_for_ever_nor_for_no_time(ttl_s: float) -> None:
    assert list(ttl_problems("ttl_s", ttl_s))


def test_seconds_become_nanoseconds() -> None:
    assert ttl_ns(1.5) == 1_500_000_000
    assert not list(ttl_problems("ttl_s", MAX_TTL_S))


def test_an_effect_that_nobody_knows_is_an_error_and_not_ignored() -> None:
    with pytest.raises(TypeError, match="unknown effect"):
        list(lease_problems(snapshot(lease(object()))))  # type: ignore[arg-type]
