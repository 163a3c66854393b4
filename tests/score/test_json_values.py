import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.score.json_values import MAX_VALUES, compared, parsed, same_object, within

CLAIM = {"number": "TE-149107", "amount": 5136.7, "injured": False, "notes": None, "items": [{"name": "ski", "count": 2}]}

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


def paths(before: object, after: object) -> list[str]:
    return [difference.path for difference in compared(before, after).differences]


@given(VALUES)
def test_a_value_differs_in_nothing_from_itself(value: object) -> None:
    assert paths(value, value) == []


@given(VALUES, VALUES)
def test_any_two_values_can_be_compared(before: object, after: object) -> None:
    found = compared(before, after)
    assert len(found.differences) <= found.values <= MAX_VALUES


@given(st.text())
def test_any_text_is_parsed_or_is_none(text: str) -> None:
    assert parsed(text) is None or isinstance(parsed(text), dict | list)


@pytest.mark.parametrize(
    "text",
    [json.dumps(CLAIM), json.dumps(CLAIM, indent=2), f"```json\n{json.dumps(CLAIM)}\n```", f"```\n{json.dumps(CLAIM)}```"],
    ids=["compact", "indented", "fenced", "fenced without a name"],
)
def test_layout_does_not_matter(text: str) -> None:
    assert paths(CLAIM, parsed(text)) == []


@pytest.mark.parametrize("text", ["", "   ", "42", '"text"', "{broken", "[" * 50_000, "plain words", "[1" + ",1" * 20_000 + "]"])
def test_what_is_no_json_object_or_list_or_too_long_is_none(text: str) -> None:
    assert parsed(text) is None


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"amount": 513670}, "amount"),
        ({"amount": "5136.70"}, "amount"),
        ({"amount": None}, "amount"),
        ({"number": "TE-14"}, "number"),
        ({"injured": 0}, "injured"),
        ({"items": [{"name": "ski", "count": 3}]}, "items[0].count"),
        ({"items": []}, "items[0].name"),
        ({"items": "none"}, "items[0].name"),
    ],
)
def test_a_value_that_is_another_one_is_named(change: dict[str, object], path: str) -> None:
    assert path in paths(CLAIM, CLAIM | change)


def test_a_missing_value_is_a_difference() -> None:
    (difference,) = compared(CLAIM, {k: v for k, v in CLAIM.items() if k != "amount"}).differences
    assert str(difference) == "amount: 5136.7 is missing"


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 5136.70},
        {"number": " te-149107 "},
        {"added": "by the application"},
        {"notes": ""},
        {"items": [{"name": "ski", "count": 2.0}]},
    ],
)
def test_spelling_and_additions_are_no_difference(change: dict[str, object]) -> None:
    assert paths(CLAIM, CLAIM | change) == []


def test_null_and_empty_values_may_be_left_out() -> None:
    assert paths({"a": None, "b": "", "c": []}, {}) == []


def test_an_object_is_found_in_what_was_put_around_it() -> None:
    wrapped = {"status": "ok", "claim": CLAIM}
    assert within(CLAIM, wrapped) is CLAIM
    assert same_object(CLAIM, wrapped)


@pytest.mark.parametrize("other", [{"verdict": "allow"}, [1], "text", None, {}])
def test_an_object_with_other_names_was_not_made_of_it(other: object) -> None:
    assert not same_object(CLAIM, other)


def test_deep_and_wide_values_end() -> None:
    deep: object = 1
    for _ in range(900):
        deep = {"a": deep}
    assert paths({"a": deep}, {"a": {"a": {}}}) == []
    assert compared(list(range(10_000)), []).values == MAX_VALUES
