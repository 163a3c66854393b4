from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.effects import DisableTool, QuarantineSource
from holdfast.control.flags import AUTOMATION, SOURCES, TOOLS, Flags, dimensions_of
from holdfast.core.call import DIMENSIONS
from holdfast.testing.control import example_desired
from tests.control.examples import LATER, NOW, lease, snapshot

HERE = {"targetingKey": "u1", "route": "support", "tenant": "acme"}
replace = msgspec.structs.replace


def flags(*leases: Any) -> Flags:
    return Flags(snapshot(*leases))


def value(key: str, found: Flags, context: dict[str, Any] = HERE, now_ns: int = NOW) -> Any:
    one = found.one(key, context, now_ns)
    assert one is not None
    return one.value


# Configured


def test_a_flag_is_targeted_by_exact_dimension_values() -> None:
    found = flags().one("new-ranking", HERE, NOW)
    assert found is not None
    assert (found.value, found.variant, found.reason) == (True, "on", "TARGETING_MATCH")
    other = flags().one("new-ranking", {"targetingKey": "u1", "tenant": "other"}, NOW)
    assert other is not None
    assert (other.value, other.variant, other.reason) == (False, "off", "STATIC")


def test_a_flag_that_is_switched_off_has_no_value_so_that_the_code_default_holds() -> None:
    desired = example_desired()
    off = replace(desired, flags=(replace(desired.flags[0], enabled=False),))
    found = Flags(snapshot(desired=off)).one("new-ranking", HERE, NOW)
    assert found is not None
    assert found.reason == "DISABLED"
    assert b"value" not in msgspec.json.encode(found)


def test_a_flag_that_nobody_made_is_none() -> None:
    assert flags().one("gone", HERE, NOW) is None
    assert flags().one("holdfast.something", HERE, NOW) is None


# Made from leases


def test_a_disabled_tool_is_seen_as_a_flag_in_scope_only_and_until_the_lease_ends() -> None:
    disabled = lease(DisableTool(tool="refund"))
    key = "holdfast.tool.refund.disabled"
    assert value(key, flags(disabled)) is True
    assert value(key, flags(disabled), {"targetingKey": "u1", "route": "search"}) is False
    assert value(key, flags(disabled), now_ns=LATER) is False
    assert value(key, flags()) is False
    assert value("holdfast.tool.search.disabled", flags(disabled)) is False


def test_a_quarantined_source_is_seen_as_a_flag() -> None:
    quarantined = lease(QuarantineSource(source="wiki.internal"))
    assert value("holdfast.source.wiki.internal.quarantined", flags(quarantined)) is True
    assert value("holdfast.source.wiki.quarantined", flags(quarantined)) is False


def test_one_flag_lists_all_names() -> None:
    found = flags(lease(DisableTool(tool="b")), lease(DisableTool(tool="a"), 2), lease(QuarantineSource(source="w"), 3))
    assert value(TOOLS, found) == {"names": ["a", "b"]}
    assert value(SOURCES, found) == {"names": ["w"]}
    assert value(TOOLS, flags()) == {"names": []}


def test_the_red_button_is_a_flag() -> None:
    assert value(AUTOMATION, flags()) is True
    assert value(AUTOMATION, Flags(replace(snapshot(), automation=False))) is False


def test_a_canary_reaches_its_share_of_the_targeting_keys() -> None:
    found = flags(lease(DisableTool(tool="refund"), share=0.3))
    key = "holdfast.tool.refund.disabled"
    reached = sum(value(key, found, {**HERE, "targetingKey": f"u{n}"}) for n in range(1_000))
    assert 240 < reached < 360


def test_all_of_them_at_once_are_the_configured_ones_and_those_of_live_leases() -> None:
    found = flags(lease(DisableTool(tool="refund")), lease(QuarantineSource(source="wiki"), 2, scope={"route": "search"}))
    values = {one.key: one.value for one in found.all(HERE, NOW)}
    assert values == {
        "new-ranking": True,
        AUTOMATION: True,
        TOOLS: {"names": ["refund"]},
        SOURCES: {"names": []},
        "holdfast.tool.refund.disabled": True,
        "holdfast.source.wiki.quarantined": False,
    }


@pytest.mark.parametrize("key", [one.key for one in flags(lease()).all(HERE, NOW)])
def test_one_by_one_is_the_same_as_all_at_once(key: str) -> None:
    found = flags(lease())
    assert found.one(key, HERE, NOW) == next(one for one in found.all(HERE, NOW) if one.key == key)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
contexts = st.dictionaries(st.sampled_from([*DIMENSIONS, "targetingKey", "colour"]), json_values, max_size=5)


@given(st.text(max_size=40) | st.sampled_from(["holdfast.tool.", "holdfast.tool.disabled", "holdfast.tool..disabled"]), contexts)
def test_any_key_and_any_context_have_an_answer(key: str, context: dict[str, Any]) -> None:
    found = flags(lease(share=0.5), lease(QuarantineSource(source="wiki"), 2))
    one = found.one(key, context, NOW)
    assert one is None or one.key == key
    assert len(msgspec.json.encode(found.all(context, NOW))) > 0


# The evaluation context


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"targetingKey": "u1"}, {"user": ("u1",)}),
        ({"targetingKey": "u1", "user": "u2"}, {"user": ("u2",)}),
        ({"tool": ["a", "b"], "tenant": "t"}, {"tool": ("a", "b"), "tenant": ("t",)}),
        ({"tenant": 7, "route": None, "tool": [1, "a", ""], "colour": "red", "targetingKey": 7}, {"tool": ("a",)}),
        ({}, {}),
    ],
    ids=["key-is-user", "user-wins", "lists", "nonsense-left-out", "empty"],
)
def test_dimensions_are_read_tolerantly(context: dict[str, Any], expected: dict[str, tuple[str, ...]]) -> None:
    assert dimensions_of(context) == expected
