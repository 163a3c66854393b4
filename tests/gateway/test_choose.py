"""The order in which targets are tried."""

import random

from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.snapshot import WeightedTarget
from holdfast.gateway.choose import ranked

TARGETS = (
    WeightedTarget(target="a", order=0, weight=3),
    WeightedTarget(target="b", order=0, weight=1),
    WeightedTarget(target="c", order=1, weight=1),
)


def test_a_lower_order_comes_first_whatever_the_draw() -> None:
    for seed in range(50):
        assert ranked(TARGETS, None, random.Random(seed).random)[2] == "c"


def test_weights_divide_the_traffic() -> None:
    draw = random.Random(7).random
    first = [ranked(TARGETS, None, draw)[0] for _ in range(4000)]
    assert 0.71 < first.count("a") / 4000 < 0.79


def test_shifted_weights_replace_those_of_the_route_and_leave_out_who_gets_none() -> None:
    assert ranked(TARGETS, {"c": 1.0, "a": 0.0}, random.random) == ["c"]


def test_a_target_without_weight_is_never_asked() -> None:
    assert ranked((WeightedTarget(target="a", weight=0.0),), None, random.random) == []


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0.01, 100)), max_size=8), st.randoms())
def test_every_target_with_weight_is_tried_exactly_once(wanted: list[tuple[int, float]], rng: random.Random) -> None:
    targets = tuple(WeightedTarget(target=f"t{n}", order=order, weight=w) for n, (order, w) in enumerate(wanted))
    assert sorted(ranked(targets, None, rng.random)) == sorted(t.target for t in targets)
