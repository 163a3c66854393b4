"""A campaign is the work of a few users: they are named, and nobody else is."""

import numpy as np
import pytest

from holdfast.core.diagnosis import Attacker
from holdfast.diagnose.attackers import MOST_ATTACKERS, Campaign, campaign, cohort_of, in_words
from holdfast.diagnose.badness import watch
from holdfast.diagnose.cohort import Cohort
from holdfast.diagnose.frame import Frame
from tests.diagnose.incidents import METRICS, ONSET, Shop

INJECTION = "prompt_injection"


def shop_of(users: int = 400, usual: float = 0.0) -> Shop:
    """Requests of so many users, some of which seem to be attacks although nobody attacks."""
    shop = Shop().spread_over("user", [f"u{n}" for n in range(users)])
    shop.values[INJECTION] = np.where(shop.random.random(len(shop.dimensions)) < usual, 0.95, 0.02)
    return shop


def attack(shop: Shop, users: int, requests: int = 5, share: float = 1.0, name: str = "bad") -> Shop:
    """Users who were never there before send so many requests each, a share of which are attacks."""
    late = shop.random.choice(np.flatnonzero(shop.late), users * requests, replace=False)
    for number, place in enumerate(late.tolist()):
        shop.dimensions[place] = {**shop.dimensions[place], "user": (f"{name}{number % users}",)}
        shop.values[INJECTION][place] = 0.99 if number < share * users * requests else 0.02
    return shop


def found_in(shop: Shop, metric: str = INJECTION) -> tuple[Campaign | None, Frame]:
    frame = shop.frame()
    return campaign(frame, [watch(frame, frame.columns[metric], METRICS[metric], False)]), frame


@pytest.mark.parametrize("users", [1, 2, 8, 12, 30])
@pytest.mark.parametrize("usual", [0.0, 0.01])
def test_every_attacker_is_named_and_no_other_user(users: int, usual: float) -> None:
    found, _ = found_in(attack(shop_of(usual=usual), users))
    assert found is not None
    assert {one.user for one in found.attackers} == {f"bad{n}" for n in range(users)}
    assert all(one.new and one.attacks == one.requests == 5 and ONSET <= one.first_ns <= one.last_ns for one in found.attackers)


def test_who_attacks_in_half_of_their_requests_is_named_too() -> None:
    found, _ = found_in(attack(shop_of(), 6, requests=10, share=0.5))
    assert found is not None
    assert len(found.attackers) == 6
    assert sum(one.attacks for one in found.attackers) == 30


def test_an_attacker_who_was_a_user_before_is_not_new() -> None:
    shop = shop_of(users=40)
    mine = np.flatnonzero(shop.late & np.array([d["user"] == ("u7",) for d in shop.dimensions]))
    shop.values[INJECTION][mine] = 0.99
    found, _ = found_in(shop)
    assert found is not None
    assert [(one.user, one.new) for one in found.attackers] == [("u7", False)]


def test_where_everybody_seems_to_attack_nobody_is_accused() -> None:
    shop = shop_of()
    shop.values[INJECTION] = np.where(shop.late & (shop.random.random(len(shop.dimensions)) < 0.15), 0.95, shop.values[INJECTION])
    assert found_in(shop)[0] is None


def test_two_attacks_are_no_campaign() -> None:
    assert found_in(attack(shop_of(), 2, requests=1))[0] is None


def test_nobody_is_accused_where_what_fails_is_not_what_users_send() -> None:
    assert found_in(attack(shop_of(), 8).break_(["refusal"]), "refusal")[0] is None


def test_nobody_is_accused_where_the_leading_failure_is_not_theirs() -> None:
    shop = attack(shop_of(), 8).break_(["refusal"], share=0.5)
    frame = shop.frame()
    watched = [watch(frame, frame.columns[name], METRICS[name], False) for name in ("refusal", INJECTION)]
    assert campaign(frame, watched) is None
    assert campaign(frame, watched[::-1]) is not None


def test_nobody_is_accused_where_no_user_is_known() -> None:
    shop = Shop()
    shop.values[INJECTION] = np.where(shop.late, 0.99, 0.02)
    assert found_in(shop)[0] is None
    assert campaign(Frame({}, ONSET), []) is None


def test_the_list_is_bounded_and_begins_with_who_attacked_most() -> None:
    shop = attack(attack(shop_of(), 80, requests=4), 1, requests=30, name="worst")
    found, frame = found_in(shop)
    assert found is not None
    assert len(found.attackers) == MOST_ATTACKERS
    assert (found.attackers[0].user, found.attackers[0].attacks) == ("worst0", 30)
    assert int((found.inside & frame.after).sum()) > 300


def test_a_request_that_is_scored_in_several_calls_is_one_attack() -> None:
    shop = attack(shop_of(), 3, requests=2)
    columns = shop.observations()
    rows = columns[INJECTION]
    frame = Frame({INJECTION: rows, "unsafe_request": rows}, ONSET)
    found = campaign(frame, [watch(frame, frame.columns[name], None, False) for name in (INJECTION, "unsafe_request")])
    assert found is not None
    assert sum(one.attacks for one in found.attackers) == 6


def test_the_cohort_is_the_one_attacker_or_what_holds_just_their_calls_or_they_themselves() -> None:
    alone, frame = found_in(attack(shop_of(), 1))
    assert alone is not None
    assert cohort_of(alone, frame, Cohort({"tenant": "beta"}))[0].conditions == {"user": "bad0"}
    shop = attack(shop_of(), 8)
    for place, dimensions in enumerate(shop.dimensions):
        if dimensions["user"][0].startswith("bad"):
            shop.dimensions[place] = {**dimensions, "tenant": ("mallory",)}
    many, frame = found_in(shop)
    assert many is not None
    kept, inside = cohort_of(many, frame, Cohort({"tenant": "mallory"}))
    assert kept.conditions == {"tenant": "mallory"}
    assert int(inside.sum()) == 40
    for scanned in ({"region": "eu"}, {"user": "bad0"}, {}):
        cohort, inside = cohort_of(many, frame, Cohort(scanned))
        assert cohort.conditions == {}
        assert int(inside.sum()) == 40


def told(*names: str) -> list[Attacker]:
    return [Attacker(user=name, attacks=1, requests=1, first_ns=1, last_ns=1, new=True) for name in names]


@pytest.mark.parametrize(
    ("attackers", "words"),
    [
        (told("a"), "user a"),
        (told("a", "b"), "users a and b"),
        (told("a", "b", "c"), "users a, b and c"),
        (told(*"abcdefghijkl"), "users a, b, c, d, e, f, g, h, i, j and 2 more"),
    ],
    ids=["one", "two", "three", "twelve"],
)
def test_attackers_are_told_by_name_ten_at_most(attackers: list[Attacker], words: str) -> None:
    assert in_words(attackers) == words
