import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.call import Call, Message, ToolCall
from holdfast.score.tool_arguments import MAX_COMPARED, ToolArguments, judged
from tests.score.build import llm, scores, tool, trace, value

WRITTEN = '{"amount": 12, "currency": "EUR", "to": {"iban": "NO93"}}'


def asking(*arguments: str, name: str = "pay", ids: tuple[str, ...] = ()) -> Call:
    """A model call that asks for this tool, once for each of the arguments."""
    calls = tuple(ToolCall(name, each, ids[i] if ids else "") for i, each in enumerate(arguments))
    return llm("", span=2, output_messages=(Message("assistant", "", calls),))


def used(arguments: str) -> float:
    return value(ToolArguments(), trace(asking(WRITTEN), tool("{}", name="pay", arguments=arguments)))


@pytest.mark.parametrize(
    "arguments",
    [
        '{"amount": "12.00", "currency": "EUR", "to": {"iban": "NO93"}}',
        '{"amount": 1200, "currency": "EUR", "to": {"iban": "NO93"}}',
        '{"amount": 12, "to": {"iban": "NO93"}}',
        '{"amount": 12, "currency": "EUR", "to": {}}',
        '{"amount": 12, "currency": null, "to": {"iban": "NO93"}}',
        "{}",
        "amount=12",
    ],
    ids=["another type", "another value", "a missing field", "a missing inner field", "emptied", "all gone", "no JSON any more"],
)
def test_a_tool_that_gets_other_values_than_the_model_wrote_is_heard(arguments: str) -> None:
    assert used(arguments) >= 0.7


@pytest.mark.parametrize(
    "arguments",
    [
        WRITTEN,
        json.dumps(json.loads(WRITTEN), indent=2),
        '{"to": {"iban": "NO93"}, "currency": "EUR", "amount": 12.0}',
        '{"amount": 12, "currency": "EUR", "to": {"iban": "NO93"}, "user_id": "u1", "dry_run": false}',
        '{"arguments": {"amount": 12, "currency": "EUR", "to": {"iban": "NO93"}}}',
    ],
    ids=["as it was", "indented", "in another order", "with additions", "wrapped"],
)
def test_layout_order_and_additions_are_no_alteration(arguments: str) -> None:
    assert used(arguments) == 0.0


def test_what_differs_is_told() -> None:
    subject = trace(asking(WRITTEN), tool("{}", name="pay", arguments=WRITTEN.replace("12", "1200")))
    assert scores(ToolArguments(), subject)["tool_arguments_altered"].why == "amount: 12 → 1200"


def test_calls_of_one_tool_in_another_order_are_no_alteration() -> None:
    steps = [tool("{}", name="pay", arguments=f'{{"amount": {n}, "to": "{n}"}}', span=9 - n) for n in (1, 2, 3)]
    asked = asking(*(f'{{"amount": {n}, "to": "{n}"}}' for n in (1, 2, 3)))
    assert [s.value for s in ToolArguments().score(trace(asked, *steps))] == [0.0] * 3


def test_a_repeated_attempt_is_compared_with_the_same_call() -> None:
    steps = [tool("", name="pay", arguments=WRITTEN, span=n) for n in (4, 5, 6)]
    assert [s.value for s in ToolArguments().score(trace(asking(WRITTEN), *steps))] == [0.0] * 3


def test_the_id_of_a_call_says_which_one_it_is() -> None:
    asked = asking('{"amount": 1}', '{"amount": 2}', ids=("a", "b"))
    swapped = tool("{}", name="pay", arguments='{"amount": 1}', attributes={"gen_ai.tool.call.id": "b"})
    assert value(ToolArguments(), trace(asked, swapped)) >= 0.7


def test_a_tool_that_takes_the_json_that_the_model_answered_is_compared_with_it() -> None:
    answered = llm(WRITTEN, span=2)
    assert value(ToolArguments(), trace(answered, tool("{}", arguments=WRITTEN))) == 0.0
    assert value(ToolArguments(), trace(answered, tool("{}", arguments=WRITTEN.replace("12", "0")))) >= 0.7


@pytest.mark.parametrize(
    ("model", "arguments"),
    [
        (asking(WRITTEN, name="another"), WRITTEN),
        (asking(""), WRITTEN),
        (llm("Plain words.", span=2), WRITTEN),
        (llm('{"verdict": "allow"}', span=2), WRITTEN),
        (asking(WRITTEN), ""),
        (llm("", span=2, start_ns=2 * 10**18, output_messages=(Message("assistant", "", (ToolCall("pay", WRITTEN),)),)), "{}"),
    ],
    ids=["another tool", "nothing told", "no JSON", "other JSON", "no arguments", "asked for later"],
)
def test_where_the_models_own_arguments_are_not_known_nothing_is_said(model: Call, arguments: str) -> None:
    assert not scores(ToolArguments(), trace(model, tool("{}", name="pay", arguments=arguments)))


def test_arguments_that_the_model_wrote_as_broken_json_may_be_repaired() -> None:
    assert judged('{"amount": 12', '{"amount": 12}') == (0.0, "")


def test_of_very_many_calls_only_the_last_ones_are_compared() -> None:
    asked = asking(*(f'{{"amount": {n}}}' for n in range(500)))
    late, early = (tool("{}", name="pay", arguments=f'{{"amount": {n}}}') for n in (500 - MAX_COMPARED, 0))
    assert value(ToolArguments(), trace(asked, late)) == 0.0
    assert value(ToolArguments(), trace(asked, early)) >= 0.7


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_are_judged(written: str, taken: str) -> None:
    assert 0.0 <= judged(written, taken)[0] <= 1.0
