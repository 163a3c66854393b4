import pytest

from holdfast.control.availability import MAX_STEPS, availability_problems, in_order
from holdfast.control.effects import Effect, OpenBreaker, ShiftTraffic, UseModel
from holdfast.control.snapshot import Desired, Lease, Route, Target, WeightedTarget
from tests.control.examples import lease, snapshot

LARGE, SMALL = OpenBreaker(target="large"), OpenBreaker(target="small")


def told(*leases: Lease) -> list[str]:
    return [problem.place for problem in availability_problems(snapshot(*leases))]


def on(effect: Effect, number: int, **scope: str) -> Lease:
    return lease(effect, number, scope=scope)


def test_one_of_two_targets_may_be_opened() -> None:
    assert told(on(LARGE, 1, route="support")) == []


def test_all_targets_of_a_route_are_never_open_at_once() -> None:
    assert told(on(LARGE, 1, route="support"), on(SMALL, 2, route="support")) == ["routes[support]"]


def test_it_is_told_for_every_route_that_is_hit() -> None:
    assert told(on(LARGE, 1, tenant="a"), on(SMALL, 2, region="eu")) == ["routes[support]", "routes[search]"]


def test_leases_that_no_request_meets_together_do_not_add_up() -> None:
    assert told(on(LARGE, 1, tenant="a"), on(SMALL, 2, tenant="b")) == []
    assert told(on(LARGE, 1, route="support"), on(SMALL, 2, route="search")) == []


def test_three_leases_of_which_only_two_meet_do_not_add_up() -> None:
    spare = OpenBreaker(target="spare")
    assert told(on(LARGE, 1, tenant="a"), on(spare, 2, region="eu"), on(SMALL, 3, tenant="b", region="eu")) == []


def test_the_message_names_the_leases_and_the_way_out() -> None:
    (found,) = availability_problems(snapshot(on(LARGE, 1, route="support"), on(SMALL, 2, route="support")))
    assert "lse_1, lse_2" in found.message
    assert "kill_route" in found.message


@pytest.mark.parametrize(
    "held",
    [UseModel(target="large"), ShiftTraffic(weights={"large": 1, "small": 0}), ShiftTraffic(weights={"large": 1})],
    ids=["downgraded", "shifted", "shifted-without-naming"],
)
def test_the_only_target_that_a_lease_leaves_may_not_be_opened(held: Effect) -> None:
    assert told(on(held, 1, route="support"), on(LARGE, 2, tenant="a")) == ["routes[support]"]
    assert told(on(held, 1, route="support"), on(SMALL, 2, tenant="a")) == []


def test_a_shift_that_is_hidden_by_a_newer_one_still_counts_because_the_newer_one_ends() -> None:
    hidden, newer = ShiftTraffic(weights={"large": 1}), ShiftTraffic(weights={"small": 1})
    assert told(on(hidden, 1, route="support"), on(newer, 2, route="support"), on(LARGE, 3, route="support"))


def test_a_target_without_weight_is_no_way_out() -> None:
    desired = Desired(
        targets=(Target(name="large", base_url="http://x"), Target(name="small", base_url="http://x")),
        routes=(Route(name="r", targets=(WeightedTarget(target="large"), WeightedTarget(target="small", weight=0))),),
    )
    assert list(availability_problems(snapshot(on(LARGE, 1, route="r"), desired=desired)))


def test_what_cannot_be_decided_in_time_counts_as_not_safe() -> None:
    names = [f"t{n}" for n in range(9)]
    desired = Desired(
        targets=tuple(Target(name=name, base_url="http://x") for name in names),
        routes=(Route(name="r", targets=tuple(WeightedTarget(target=name) for name in names)),),
    )
    dimensions = ("tenant", "region", "language", "user", "model", "tool")
    leases = [
        on(OpenBreaker(target=names[n % 8]), n + 1, **{dimensions[n % 6]: f"v{n % 2}", dimensions[n % 5]: f"v{n % 3}"})
        for n in range(400)
    ]
    problems = list(availability_problems(snapshot(*leases, desired=desired)))
    assert MAX_STEPS < 8**9
    assert not problems or "too many" in problems[0].message


def test_order_is_by_grant() -> None:
    assert in_order([lease(number=1), lease(number=3)])
    assert not in_order([lease(number=3), lease(number=1)])
    assert not in_order([lease(number=1), lease(number=1)])
