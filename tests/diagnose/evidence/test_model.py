"""The group model sees its own failures and stays calm at others'."""

import pytest

from holdfast.diagnose.evidence.model import COMPOSITES, same_model, updated
from holdfast.diagnose.moves import Step
from tests.diagnose.evidence.scenes import scene
from tests.diagnose.incidents import Shop


def test_its_failure_is_read_and_the_rest_of_the_group_is_flat_or_silent() -> None:
    seen = scene(Shop().break_(["truncation"]))
    steps = {c.name: r.step for c in COMPOSITES if (r := c.read(seen)) is not None}
    assert steps["truncation"] is Step.SURGE
    assert steps["cost"] is Step.FLAT


def test_in_health_nothing_moves() -> None:
    seen = scene(Shop())
    assert {r.step for c in COMPOSITES if (r := c.read(seen)) is not None} == {Step.FLAT}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("command-r-plus-08-2024", "command-r-plus-03-2026", True),
        ("gpt-4o-2024-08-06", "gpt-4o-2024-11-20", True),
        ("mistral-large-2411", "mistral-large-2411-hf2", True),
        ("gemini-2.0-flash-001", "gemini-2.0-flash-002", True),
        ("claude-x-latest", "claude-x-20260101", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-2024-08-06", False),
        ("gemini-2.0-flash", "gemini-2.5-pro", False),
        ("large", "small", False),
        ("a", "a", False),
        ("", "7", False),
    ],
    ids=lambda value: str(value) or "empty",
)
def test_versions_of_one_model_differ_in_numbers_and_dates_only(one: str, other: str, same: bool) -> None:
    assert same_model(one, other) is same
    assert same_model(other, one) is same


def renamed(new: str, share: float = 1.0) -> Step | None:
    shop = Shop()
    for place, dimensions in enumerate(shop.dimensions):
        shop.dimensions[place] = {**dimensions, "model": ("chat-2024",)}
    found = updated(scene(shop.upgrade("model", "chat-2024", new, share)))
    return found[0] if found is not None else None


def test_another_version_that_answers_all_of_a_cohort_is_an_update_of_the_model() -> None:
    assert renamed("chat-2026") is Step.SURGE


def test_the_same_version_or_a_few_calls_of_a_new_one_are_no_update() -> None:
    assert renamed("chat-2024") is Step.FLAT
    assert renamed("chat-2026", 0.3) is Step.FLAT


def test_another_model_is_no_update_and_no_sign_against_one() -> None:
    assert renamed("dialogue-2026") is None


def test_where_no_call_names_its_model_nothing_is_said_of_its_version() -> None:
    shop = Shop()
    for dimensions in shop.dimensions:
        del dimensions["model"]
    assert updated(scene(shop)) is None
