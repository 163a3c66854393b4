import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.effective import MAX_REMEMBERED, NOTHING, Matcher, agrees, compose, drawn
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
from holdfast.control.snapshot import Lease
from holdfast.core.call import DIMENSIONS, Dimensions
from tests.control.examples import LATER, NOW, lease, snapshot

HERE: Dimensions = {"route": ("support",), "tenant": ("acme",), "tool": ("refund", "search")}


def matched(*leases: Lease, dimensions: Dimensions = HERE, now_ns: int = NOW, unit: str = "") -> list[str]:
    return [one.id for one in Matcher(snapshot(*leases)).match(dimensions, now_ns, unit).leases]


def together(*effects: Effect) -> Any:
    leases = [lease(effect, number) for number, effect in enumerate(effects, 1)]
    return Matcher(snapshot(*leases)).match(HERE, NOW)


# Who is matched


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"route": "support"}, True),
        ({"route": "support", "tenant": "acme"}, True),
        ({"tool": "search"}, True),
        ({"tool": "search", "route": "support", "tenant": "acme"}, True),
        ({"route": "search"}, False),
        ({"route": "support", "tenant": "other"}, False),
        ({"user": "u1"}, False),
        ({"route": "support", "user": "u1"}, False),
        ({"route": "Support"}, False),
    ],
    ids=str,
)
def test_a_lease_matches_when_every_condition_of_its_scope_holds(scope: dict[str, str], expected: bool) -> None:
    assert bool(matched(lease(scope=scope))) is expected
    assert agrees(lease(scope=scope), HERE) is expected


def test_an_empty_scope_means_nothing_and_never_everything() -> None:
    assert matched(lease(scope={})) == []
    assert not agrees(lease(scope={}), HERE)


def test_a_request_without_dimensions_matches_nothing() -> None:
    assert matched(lease(), dimensions={}) == []
    assert Matcher(snapshot()).match({}, NOW) is NOTHING


def test_a_lease_ends_at_its_time_without_a_new_snapshot() -> None:
    assert matched(lease(), now_ns=LATER - 1) == ["lse_1"]
    assert matched(lease(), now_ns=LATER) == []


def test_a_value_that_is_there_twice_matches_once() -> None:
    assert matched(lease(scope={"tool": "refund"}), dimensions={"tool": ("refund", "refund")}) == ["lse_1"]


def test_a_canary_reaches_its_share_of_the_users_always_the_same_ones() -> None:
    matcher = Matcher(snapshot(lease(share=0.2)))
    reached = {f"u{n}" for n in range(5_000) if matcher.match(HERE, NOW, f"u{n}").leases}
    assert 0.18 < len(reached) / 5_000 < 0.22
    assert reached == {f"u{n}" for n in range(5_000) if matcher.match(HERE, NOW, f"u{n}").leases}


def test_a_larger_share_of_the_same_lease_keeps_the_users_that_it_had() -> None:
    small, large = (Matcher(snapshot(lease(share=share))) for share in (0.1, 0.3))
    users = [f"u{n}" for n in range(1_000)]
    assert all(large.match(HERE, NOW, user).leases for user in users if small.match(HERE, NOW, user).leases)


@pytest.mark.parametrize("other", ["lse_2", "lse_3", "lse_1a", "x"])
def test_two_canaries_draw_independently(other: str) -> None:
    both = sum(drawn("lse_1", f"u{n}") < 0.5 and drawn(other, f"u{n}") < 0.5 for n in range(4_000))
    assert 0.22 < both / 4_000 < 0.28


def test_draws_are_even_over_the_whole_range() -> None:
    counts = [0] * 10
    for n in range(10_000):
        counts[int(drawn("lse_1", f"user-{n}") * 10)] += 1
    assert min(counts) > 880
    assert max(counts) < 1_120


def test_a_share_is_drawn_the_same_way_by_the_index() -> None:
    matcher = Matcher(snapshot(lease(share=0.4)))
    for n in range(500):
        assert bool(matcher.match(HERE, NOW, f"u{n}").leases) is (drawn("lse_1", f"u{n}") < 0.4)


def test_a_request_of_nobody_is_in_no_canary_but_in_every_whole_lease() -> None:
    assert matched(lease(share=0.99), lease(number=2)) == ["lse_2"]


def test_a_user_that_is_no_proper_text_is_drawn_too() -> None:
    assert 0 <= drawn("lse_1", "\ud800") < 1


scopes = st.dictionaries(st.sampled_from(DIMENSIONS[:4]), st.sampled_from(["a", "b"]), max_size=3)
requests = st.dictionaries(
    st.sampled_from(DIMENSIONS[:4]), st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=2).map(tuple)
)


@given(st.lists(scopes, max_size=8), requests)
def test_the_index_finds_exactly_what_looking_at_every_lease_finds(scopes: list[dict[str, str]], request: Dimensions) -> None:
    leases = [lease(number=n, scope=scope) for n, scope in enumerate(scopes, 1)]
    assert matched(*leases, dimensions=request) == [one.id for one in leases if agrees(one, request)]


# What they come to together


def test_of_two_models_two_templates_or_two_shifts_the_one_granted_last_holds() -> None:
    assert together(UseModel(target="large"), UseModel(target="small")).target == "small"
    assert together(UseTemplate(template="a"), UseTemplate(template="b")).template == "b"
    assert together(ShiftTraffic(weights={"large": 1}), ShiftTraffic(weights={"small": 1})).weights == {"small": 1}


def test_prompts_and_parameters_hold_each_by_itself() -> None:
    prompts = together(UsePrompt(prompt="p", version="1"), UsePrompt(prompt="q", version="2"), UsePrompt(prompt="p", version="3"))
    assert prompts.prompts == {"p": "3", "q": "2"}
    pinned = together(PinParameters(parameters={"temperature": 0, "seed": 1}), PinParameters(parameters={"temperature": 0.5}))
    assert pinned.parameters == {"temperature": 0.5, "seed": 1}


def test_the_strictest_threshold_of_a_guard_holds_and_its_own_counts() -> None:
    assert together(EnforceGuards(guards=("pii",), threshold=0.9), EnforceGuards(guards=("pii",))).guards == {"pii": 0.7}
    assert together(EnforceGuards(guards=("pii", "injection"), threshold=0.2), EnforceGuards(guards=("pii",))).guards == {
        "pii": 0.2,
        "injection": 0.2,
    }


def test_tools_sources_and_breakers_add_up() -> None:
    found = together(
        DisableTool(tool="a"), DisableTool(tool="b"), QuarantineSource(source="wiki"), OpenBreaker(target="large", judge="j")
    )
    assert found.disabled_tools == {"a", "b"}
    assert found.quarantined_sources == {"wiki"}
    assert found.opened == {"large": "j"}


def test_the_lowest_rate_holds() -> None:
    assert together(Throttle(requests_per_s=2), Throttle(requests_per_s=5)).requests_per_s == 2


def test_a_block_keeps_the_id_that_the_user_was_told_first() -> None:
    found = together(Block(block_id="blk_1"), Refuse(retry_after_s=5), Block(block_id="blk_2"))
    assert found.block == Block(block_id="blk_1")
    assert found.refuse == Refuse(retry_after_s=5)


EVERY: list[Effect] = [
    UseModel(target="large"),
    UseModel(target="small"),
    UseTemplate(template="sorry"),
    EnforceGuards(guards=("pii",), threshold=0.1),
    EnforceGuards(guards=("pii", "injection")),
    UsePrompt(prompt="support", version="v1"),
    PinParameters(parameters={"temperature": 0}),
    DisableTool(tool="refund"),
    QuarantineSource(source="wiki"),
    Throttle(requests_per_s=1),
    Block(block_id="blk_1"),
    OpenBreaker(target="large"),
    ShiftTraffic(weights={"small": 1}),
    Refuse(),
]


@given(st.lists(st.sampled_from(range(len(EVERY))), unique=True), st.randoms())
def test_what_leases_come_to_depends_on_which_there_are_and_not_on_how_they_came_about(chosen: list[int], random: Any) -> None:
    leases = [lease(EVERY[at], at + 1) for at in chosen]
    shuffled = list(leases)
    random.shuffle(shuffled)
    assert compose(leases, {}) == compose(shuffled, {})


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(range(len(EVERY)), 2)), ids=str)
def test_ending_one_of_two_leaves_what_the_other_says_alone(first: int, second: int) -> None:
    staying, ending = lease(EVERY[first], first + 1), lease(EVERY[second], second + 1, expires_ns=NOW + 1)
    both = Matcher(snapshot(*sorted((staying, ending), key=lambda one: one.sequence)))
    assert both.match(HERE, NOW + 1) == Matcher(snapshot(staying)).match(HERE, NOW + 1)


def test_what_is_remembered_is_bounded() -> None:
    leases = [lease(number=n, scope={"user": f"u{n % 50}"}) for n in range(1, 100)]
    matcher = Matcher(snapshot(*leases))
    for n in range(MAX_REMEMBERED + 50):
        matcher.match({"user": (f"u{n % 50}", f"u{(n // 50) % 50}")}, NOW)
    assert len(matcher._remembered) <= MAX_REMEMBERED


def test_nothing_is_not_changed_by_composing() -> None:
    together(*EVERY)
    assert Matcher(snapshot()).match(HERE, NOW).guards == {}
    assert compose((), {}).prompts == {}


def test_an_effect_that_nobody_knows_is_an_error_and_not_ignored() -> None:
    with pytest.raises(TypeError, match="unknown effect"):
        compose([lease(object())], {})  # type: ignore[arg-type]
