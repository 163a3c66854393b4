from typing import Any

import pytest

from holdfast.act.containment import Containment, Reach
from holdfast.control.prompts import rolled_back
from holdfast.control.store import ControlStore
from holdfast.core.errors import ConflictError, InputError, NotFoundError, TransitionError
from holdfast.testing.clock import FakeClock
from tests.act.examples import request

ADA = "user:ada"
SMALL_REACH = Reach(users=10, traffic=0.01)


def automatic(action: str, number: int = 1, **changes: Any) -> Any:
    scope = {"user": f"u{number}"} if action in ("block_user", "throttle_user") else {"route": "support", "tenant": f"t{number}"}
    return request(action, **{"automatic": True, "reach": SMALL_REACH, "confidence_low": 0.9, "scope": scope, **changes})


def test_a_lease_says_who_did_what_for_which_incident_and_what_stood_there(containment: Containment) -> None:
    lease = containment.apply(request("downgrade_model", reach=Reach(users=120, traffic=0.2)), ADA)
    assert (lease.action, lease.owner, lease.actor) == ("downgrade_model", "inc_1", ADA)
    assert lease.before == "support: large 1, small 1"
    assert (lease.users, lease.traffic, lease.automatic) == (120, 0.2, False)


def test_a_user_in_the_scope_is_one_user_where_nobody_measured(containment: Containment) -> None:
    assert containment.apply(request("block_user"), ADA).users == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"action": "erase"}, "there is no action 'erase': pin_parameters"),
        ({"scope": {}}, "scope: is empty"),
        ({"scope": {"colour": "red"}}, "is no dimension"),
        ({"arguments": {}}, r"arguments: Object missing required field `target`"),
        ({"arguments": {"target": 7}}, r"arguments\.target: Expected `str`"),
        ({"arguments": {"target": "gone"}}, "no target"),
        ({"ttl_s": 0.0}, "ttl_s"),
        ({"ttl_s": 10**9}, "ttl_s"),
        ({"share": 0.0}, "share"),
        ({"share": 2.0}, "share"),
        ({"owner": ""}, "owner"),
        ({"reason": " "}, "reason"),
        ({"reach": Reach(users=-1, traffic=0.0)}, "users"),
        ({"reach": Reach(users=1, traffic=1.5)}, "traffic"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_what_makes_no_sense_is_refused_when_planned_and_when_applied(
    containment: Containment, store: ControlStore, changes: dict[str, Any], message: str
) -> None:
    wanted = request("downgrade_model")
    wanted = type(wanted)(**{**{name: getattr(wanted, name) for name in wanted.__struct_fields__}, **changes})
    with pytest.raises(InputError, match=message):
        containment.plan(wanted, ADA)
    with pytest.raises(InputError, match=message):
        containment.apply(wanted, ADA)
    assert store.snapshot.version == 1


@pytest.mark.parametrize("action", ["throttle_user", "block_user"])
def test_the_abusing_user_is_limited_and_never_everyone(containment: Containment, action: str) -> None:
    with pytest.raises(InputError, match="must name the user"):
        containment.apply(request(action, scope={"tenant": "acme"}), ADA)


def test_a_plan_that_would_open_the_last_target_is_refused_before_it_is_applied(containment: Containment) -> None:
    containment.apply(request("open_breaker"), ADA)
    with pytest.raises(InputError, match="kill_route"):
        containment.plan(request("open_breaker", arguments={"target": "small"}), ADA)


def test_a_plan_counts_leases_that_are_over_as_gone(containment: Containment, clock: FakeClock) -> None:
    containment.apply(request("open_breaker"), ADA)
    clock.advance(600)
    assert containment.plan(request("open_breaker", arguments={"target": "small"}), ADA)


def test_a_plan_warns_of_what_might_do_less_than_one_thinks(containment: Containment) -> None:
    assert containment.plan(request("disable_tool"), ADA).warnings == ()
    (typo,) = containment.plan(request("disable_tool", scope={"route": "suport"}), ADA).warnings
    assert "no gateway has a route 'suport'" in typo
    (canary,) = containment.plan(request("block_user", share=0.5), ADA).warnings
    assert "this user or nobody" in canary
    containment.apply(request("disable_tool"), ADA)
    (again,) = containment.plan(request("disable_tool"), ADA).warnings
    assert "already" in again


def test_what_was_approved_is_not_applied_to_a_plane_where_it_means_something_else(
    containment: Containment, store: ControlStore
) -> None:
    plan = containment.plan(request("revert_prompt"), ADA)
    assert plan.lease.before == "support in version v2"
    store.edit(lambda desired, now_ns: rolled_back(desired, "support"), ADA, "rolled back")
    with pytest.raises((ConflictError, InputError)):
        containment.apply(request("revert_prompt", plan_hash=plan.plan_hash), ADA)


def test_a_version_that_somebody_has_left_is_a_conflict(containment: Containment) -> None:
    containment.apply(request("disable_tool"), ADA, expected_version=1)
    with pytest.raises(ConflictError):
        containment.apply(request("block_user"), ADA, expected_version=1)


def test_asking_twice_with_one_key_is_asking_once(containment: Containment, store: ControlStore) -> None:
    first = containment.apply(request("block_user", key="inc_1/block"), ADA)
    assert containment.apply(request("block_user", key="inc_1/block"), ADA) == first
    assert len(store.snapshot.leases) == 1


def test_undoing_needs_a_lease_and_a_reason(containment: Containment) -> None:
    lease = containment.apply(request("disable_tool"), ADA)
    with pytest.raises(InputError, match="reason"):
        containment.undo(lease.id, ADA, "")
    containment.undo(lease.id, ADA, "over")
    with pytest.raises(NotFoundError):
        containment.undo(lease.id, ADA, "over")


# What automation may do without a person


def test_automation_may_do_what_is_small(containment: Containment) -> None:
    assert containment.apply(automatic("downgrade_model"), "holdfast").automatic


def test_automation_without_a_diagnosis_does_nothing_and_is_told_what_is_missing(containment: Containment) -> None:
    with pytest.raises(TransitionError, match=r"right at least 85% of the time, this one is so 0%"):
        containment.apply(automatic("downgrade_model", confidence_low=0.0), "holdfast")


def test_a_route_is_never_stopped_without_a_person(containment: Containment) -> None:
    with pytest.raises(TransitionError, match="never applied without a person"):
        containment.apply(automatic("kill_route"), "holdfast")


@pytest.mark.parametrize(
    "changes",
    [
        {"reach": Reach(users=5_001, traffic=0.1)},
        {"reach": Reach(users=1, traffic=0.51)},
        {"ttl_s": 3_601.0},
        {"reach": None},
        {"confidence_low": 0.84},
    ],
    ids=["users", "traffic", "ttl", "unknown-reach", "unsure"],
)
def test_beyond_its_caps_automation_needs_a_person(containment: Containment, changes: dict[str, Any]) -> None:
    with pytest.raises(TransitionError, match="without a person"):
        containment.apply(automatic("downgrade_model", **changes), "holdfast")
    assert containment.apply(automatic("downgrade_model", **{**changes, "automatic": False}), ADA)


def test_caps_bind_the_sum_so_that_many_small_steps_are_no_way_around(containment: Containment, clock: FakeClock) -> None:
    for number in range(20):
        containment.apply(automatic("block_user", number, reach=Reach(users=1, traffic=0.001)), "holdfast")
    with pytest.raises(TransitionError, match="20 users"):
        containment.apply(automatic("block_user", 20, reach=Reach(users=1, traffic=0.001)), "holdfast")
    assert containment.apply(automatic("block_user", 21, automatic=False), ADA), "a person may"
    clock.advance(600)
    assert containment.apply(automatic("block_user", 22, reach=Reach(users=1, traffic=0.001)), "holdfast"), "when others are over"


def test_asking_again_for_the_same_does_not_spend_the_caps_twice(containment: Containment) -> None:
    reach = Reach(users=4_000, traffic=0.4)
    first = containment.apply(automatic("downgrade_model", reach=reach, key="k"), "holdfast")
    assert containment.apply(automatic("downgrade_model", reach=reach, key="k"), "holdfast") == first


def test_people_do_not_spend_the_caps_of_automation(containment: Containment) -> None:
    containment.apply(request("downgrade_model", reach=Reach(users=100_000, traffic=1.0)), ADA)
    assert containment.apply(automatic("downgrade_model"), "holdfast")


def test_under_the_red_button_automation_does_nothing(containment: Containment, store: ControlStore) -> None:
    store.stop_automation(ADA, "it errs")
    with pytest.raises(TransitionError, match="red button"):
        containment.apply(automatic("downgrade_model"), "holdfast")
    assert containment.apply(request("downgrade_model"), ADA)
