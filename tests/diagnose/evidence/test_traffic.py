"""Traffic tells attacks, surges and long inputs apart."""

import numpy as np
import pytest

from holdfast.diagnose.evidence.traffic import COMPOSITES, concentration, long_inputs, newcomers, volume
from holdfast.diagnose.moves import Step
from tests.diagnose.evidence.scenes import scene
from tests.diagnose.incidents import Shop


def with_users(shop: Shop, count: int = 60) -> Shop:
    for i, dimensions in enumerate(shop.dimensions):
        dimensions["user"] = (f"u{i % count}",)
    return shop


def test_suspicious_inputs_of_one_user_are_an_attack_and_of_all_users_are_not() -> None:
    one = concentration(scene(with_users(Shop()).break_(["prompt_injection"], lambda d: d["user"] == ("u7",), 1.0)))
    many = concentration(scene(with_users(Shop()).break_(["prompt_injection"], share=0.3)))
    assert one is not None
    assert one[0] > Step.FLAT
    assert many is not None
    assert many[0] is Step.FLAT
    assert concentration(scene(Shop())) is None


def suspicious(users: list[str]) -> Shop:
    """A shop of 60 users in which exactly one late request of each of these is suspicious."""
    shop = with_users(Shop())
    late = [i for i in range(len(shop.dimensions)) if shop.late[i]]
    flags = np.zeros(len(shop.dimensions))
    for user in users:
        place = next(i for i in late if shop.dimensions[i]["user"] == (user,) and not flags[i])
        flags[place] = 1.0
    shop.values["prompt_injection"] = flags
    return shop


def test_six_suspicious_inputs_of_six_users_are_no_campaign_though_three_of_them_sent_half() -> None:
    found = concentration(scene(suspicious(["u1", "u2", "u3", "u4", "u5", "u6"])))
    assert found == (Step.FLAT, "three users sent 50% of 6 suspicious requests")


def test_six_suspicious_inputs_of_two_users_are_a_campaign() -> None:
    found = concentration(scene(suspicious(["u1", "u1", "u1", "u2", "u2", "u2"])))
    assert found == (Step.SURGE, "three users sent 100% of 6 suspicious requests")


def test_who_asks_nearly_everything_is_no_campaign_for_having_sent_the_suspicious_inputs_too() -> None:
    shop = Shop().break_(["prompt_injection"], share=0.1)
    for i, dimensions in enumerate(shop.dimensions):
        dimensions["user"] = ("batch" if i % 5 else f"u{i % 60}",)
    found = concentration(scene(shop))
    assert found is not None
    assert found[0] is Step.FLAT


def test_long_inputs_that_fail_more_than_they_used_to_are_seen() -> None:
    shop = Shop()
    long = shop.late & (shop.values["input_tokens"] > np.quantile(shop.values["input_tokens"], 0.7))
    shop.values["ungrounded_answer"] = np.where(long, 0.9, shop.values["ungrounded_answer"])
    found = long_inputs(scene(shop))
    assert found is not None
    assert found[0] is Step.SURGE
    calm = long_inputs(scene(Shop()))
    assert calm is not None
    assert calm[0] is Step.FLAT


def test_steady_traffic_is_flat_and_a_cohort_without_a_past_says_nothing() -> None:
    steady = volume(scene(Shop()))
    assert steady is not None
    assert steady[0] is Step.FLAT
    new = Shop().upgrade("prompt.version", "chat-v1", "chat-v2")
    assert volume(scene(new, {"prompt.version": "chat-v2"})) is None


@pytest.mark.parametrize("dimension", ["language", "tenant", "user"])
def test_who_was_not_there_before_is_a_newcomer(dimension: str) -> None:
    found = newcomers(scene(Shop().arrive(dimension, "new"), {dimension: "new"}))
    assert found is not None
    assert found == (Step.SURGE, f"{dimension}=new hardly called before")


def test_a_tenant_that_called_before_is_no_newcomer() -> None:
    found = newcomers(scene(Shop(), {"tenant": "beta"}))
    assert found is not None
    assert found[0] is Step.FLAT


@pytest.mark.parametrize(
    "cohort",
    [{"prompt.version": "new"}, {"document.source": "new"}, {"region": "new"}, {}],
    ids=["prompt", "source", "region", "all"],
)
def test_what_answers_is_no_newcomer_however_new_it_is(cohort: dict[str, str]) -> None:
    assert newcomers(scene(Shop().arrive("prompt.version", "new"), cohort)) is None


def test_in_health_no_composite_of_the_group_moves() -> None:
    seen = scene(Shop())
    assert {r.step for c in COMPOSITES if (r := c.read(seen)) is not None} == {Step.FLAT}


def test_attacks_beyond_doubt_are_told_apart_from_talk_of_attacks() -> None:
    def read(shop: Shop) -> Step | None:
        reading = next(c for c in COMPOSITES if c.name == "attacks").read(scene(shop))
        return reading.step if reading is not None else None

    shop = Shop()
    shop.values["prompt_injection"] = np.where(shop.values["prompt_injection"] > 0.5, 0.7, 0.03)
    assert read(shop) is Step.FLAT
    attacked = shop.break_(["prompt_injection"], share=0.1)
    attacked.values["prompt_injection"] = np.where(
        attacked.values["prompt_injection"] == 0.9, 0.97, attacked.values["prompt_injection"]
    )
    assert read(attacked) is Step.SURGE
