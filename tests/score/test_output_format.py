import json

import pytest

from holdfast.score.output_format import OutputFormat
from tests.score.build import ANSWER, exchange, llm, scores, trace, value

SCHEMA = json.dumps({"type": "object", "required": ["days"], "properties": {"days": {"type": "integer"}}})


def judged(text: str, schema: str = "") -> float:
    return value(OutputFormat(), trace(llm(text, output_type="json", output_schema=schema)))


def test_json_that_parses_is_fine() -> None:
    assert judged('{"days": 30}') == 0.0


def test_a_code_fence_is_a_small_fault_prose_around_it_a_bigger_one_and_no_json_the_worst() -> None:
    fenced, wrapped, none = judged('```json\n{"days": 30}\n```'), judged('Here you are: {"days": 30} Bye!'), judged(ANSWER)
    assert 0 < fenced < wrapped < none == 1.0


def test_json_that_was_cut_is_no_json() -> None:
    assert judged('{"days": 3') == 1.0


@pytest.mark.parametrize("text", ['{"days": "thirty"}', "{}", "[]"])
def test_json_against_the_schema_is_a_violation(text: str) -> None:
    assert judged(text, SCHEMA) == 0.9


def test_json_that_follows_the_schema_is_fine() -> None:
    assert judged('{"days": 30}', SCHEMA) == 0.0


def test_a_schema_in_the_envelope_of_a_provider_is_found() -> None:
    envelope = json.dumps({"type": "json_schema", "schema": json.loads(SCHEMA)})
    assert judged('{"days": "x"}', envelope) == 0.9


@pytest.mark.parametrize(
    "schema",
    [
        "{",
        '{"type": 7}',
        "[]",
        '{"$ref": "http://localhost:1/schema.json"}',
        '{"$ref": "file:///etc/hostname"}',
        '{"pattern": "(a+)+$"}',
        "null",
    ],
)
def test_a_schema_that_cannot_be_used_is_not_held_against_the_model(schema: str) -> None:
    assert judged('{"days": 30}', schema) == 0.0


def test_an_evil_pattern_does_not_take_forever() -> None:
    assert judged('{"a": "' + "a" * 5000 + '!"}', '{"properties": {"a": {"pattern": "^(a+)+$"}}}') == 0.9


@pytest.mark.parametrize(
    "prompt",
    [
        "Reply in JSON.",
        "Respond only with a JSON object.",
        "Output valid JSON",
        "Antworte nur mit JSON",
        "Extract origin, weight and price as JSON.",
    ],
)
def test_a_prompt_may_ask_for_json(prompt: str) -> None:
    assert value(OutputFormat(), exchange(ANSWER, system=prompt)) == 1.0


@pytest.mark.parametrize(
    "prompt", ["Never answer in JSON.", "Our product exports JSON files.", "We deliver data as CSV, not as JSON.", "Be nice.", ""]
)
def test_a_prompt_that_does_not_ask_is_no_reason_to_look(prompt: str) -> None:
    assert not scores(OutputFormat(), exchange(ANSWER, system=prompt))


def test_a_call_that_only_asks_for_a_tool_has_no_format() -> None:
    assert not scores(OutputFormat(), trace(llm("", output_type="json")))
