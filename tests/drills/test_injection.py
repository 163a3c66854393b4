from random import Random

import msgspec
import pytest

from holdfast.core.change import ChangeKind
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import ConfigurationError
from holdfast.drills.application import load_application
from holdfast.drills.faults.registry import FAULTS, find_fault
from holdfast.drills.injection import Fate, Injection, Ramp, change_event, natural_scope, next_version
from holdfast.drills.scenario import START_NS, Scenario, prepare
from holdfast.drills.script import perform
from holdfast.drills.turn import Stage
from tests.drills.turns import a_turn

HOUR_NS = 3600 * NS_PER_S


def injection(name: str, **fields: object) -> Injection:
    base = prepare(Scenario(fault=name, calls=10, fault_at=0.0, delay_s=0.0)).injections[0]
    return msgspec.structs.replace(base, **fields)


def test_harm_has_full_strength_from_the_onset_on_a_step() -> None:
    step = injection("grounding_rule_dropped", onset_ns=START_NS, end_ns=START_NS + HOUR_NS)
    assert step.intensity(START_NS - 1) == 0
    assert step.intensity(START_NS) == 1
    assert step.intensity(START_NS + HOUR_NS) == 0


def test_harm_grows_evenly_on_a_linear_ramp() -> None:
    ramp = injection(
        "grounding_rule_dropped", ramp=Ramp.LINEAR, onset_ns=START_NS, end_ns=START_NS + 9 * HOUR_NS, ramp_ns=2 * HOUR_NS
    )
    assert ramp.intensity(START_NS) == 0
    assert ramp.intensity(START_NS + HOUR_NS) == pytest.approx(0.5)
    assert ramp.intensity(START_NS + 4 * HOUR_NS) == 1


def test_harm_comes_and_goes_when_it_flaps() -> None:
    flap = injection(
        "grounding_rule_dropped", ramp=Ramp.FLAPPING, onset_ns=START_NS, end_ns=START_NS + 9 * HOUR_NS, ramp_ns=4 * HOUR_NS
    )
    assert [flap.intensity(START_NS + i * HOUR_NS) for i in range(4)] == [1, 0, 1, 0]


def test_a_change_covers_only_its_scope_its_shape_and_its_time() -> None:
    found = injection("grounding_rule_dropped")
    chat = a_turn("/chat")
    assert found.covers(chat)
    assert not found.covers(a_turn("/orders"))
    assert not msgspec.structs.replace(found, scope={"tenant": "nobody"}).covers(chat)
    assert not msgspec.structs.replace(found, change_ns=chat.request.time_ns + 1).covers(chat)
    assert not msgspec.structs.replace(found, end_ns=chat.request.time_ns).covers(chat)


def test_a_partial_rollout_reaches_the_same_users_every_time() -> None:
    half = injection("grounding_rule_dropped", rollout=0.5)
    turns = [a_turn("/chat", seed=seed) for seed in range(1, 25)]
    reached = [half.covers(turn) for turn in turns]
    assert reached == [half.covers(turn) for turn in turns]
    assert 0 < sum(reached) < len(turns)


def test_a_tool_fault_waits_until_the_tool_is_known() -> None:
    found = injection("tool_schema_change", scope={"tool": "get_order"})
    turn = a_turn("/orders")
    assert found.covers(turn)
    assert not found.touches(turn, Stage.RECEIVED)


def test_a_first_strike_that_finds_nothing_leaves_the_request_alone() -> None:
    found = injection("duplicate_flood", rate=1.0)
    for seed in range(1, 12):
        turn = a_turn("/chat", seed=seed)
        perform(turn, Fate((found,), turn))
        assert ("duplicate_flood" in turn.struck) == ("bulk-import" in turn.sources)


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_has_a_natural_scope_in_the_application(name: str) -> None:
    application = load_application("support")
    scope = natural_scope(find_fault(name), application, Random(1))
    assert scope == natural_scope(find_fault(name), application, Random(1))
    assert all(scope.values())


def test_a_dimension_without_natural_values_is_refused() -> None:
    fault = msgspec.structs.replace(find_fault("stale_index"), cohort=("moon.phase",))
    with pytest.raises(ConfigurationError, match=r"moon\.phase"):
        natural_scope(fault, load_application("support"), Random(1))


@pytest.mark.parametrize(("old", "new"), [("chat-v7", "chat-v8"), ("chat-v99", "chat-v100"), ("kb-2026-09-14", "kb-2026-09-21")])
def test_the_next_version_follows_the_style_of_the_last(old: str, new: str) -> None:
    assert next_version(old) == new


def test_a_fault_from_outside_has_no_change_event() -> None:
    assert change_event(find_fault("provider_outage"), "s", {}, 1, ("", "")) is None


def test_the_change_event_of_a_tool_fault_names_the_tool() -> None:
    event = change_event(find_fault("tool_schema_change"), "s", {"tool": "get_order"}, 1, ("1", "2"))
    assert event is not None
    assert (event.kind, event.target, event.service) == (ChangeKind.TOOL, "get_order", "s")
