"""The group output sees its own failures and stays calm at others'."""

import numpy as np

from holdfast.diagnose.evidence.output import COMPOSITES
from holdfast.diagnose.moves import Step
from tests.diagnose.evidence.scenes import scene
from tests.diagnose.incidents import Shop


def test_its_failure_is_read_and_the_rest_of_the_group_is_flat_or_silent() -> None:
    seen = scene(Shop().break_(["answer_altered"]))
    steps = {c.name: r.step for c in COMPOSITES if (r := c.read(seen)) is not None}
    assert steps["altered"] is Step.SURGE
    assert steps["block"] is Step.FLAT


def test_in_health_nothing_moves() -> None:
    seen = scene(Shop())
    assert {r.step for c in COMPOSITES if (r := c.read(seen)) is not None} == {Step.FLAT}


def tampered(shop: Shop) -> Step | None:
    reading = next(c for c in COMPOSITES if c.name == "tampered").read(scene(shop))
    return reading.step if reading is not None else None


def test_another_answer_than_the_models_without_a_guard_or_a_failure_is_told_apart() -> None:
    assert tampered(Shop().break_(["answer_altered"])) is Step.SURGE


def test_what_a_guard_replaced_or_a_failed_request_got_instead_was_meant_to_be_delivered() -> None:
    for excuse in ("guardrail_block", "guardrail_error", "error", "tool_error"):
        shop = Shop()
        shop.values[excuse], shop.kept[excuse] = np.zeros(len(shop.dimensions)), shop.kept["answer_altered"]
        assert tampered(shop.break_(["answer_altered", excuse])) is not Step.SURGE


def test_without_a_word_of_guards_nobody_can_say_why_an_answer_differs() -> None:
    shop = Shop().break_(["answer_altered"])
    del shop.values["guardrail_block"]
    assert tampered(shop) is None
