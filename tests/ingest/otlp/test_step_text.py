import pytest

from holdfast.ingest.otlp.step_text import arguments_text, input_text, output_text, unquoted


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('{"question": "a"}', "a"),
        ('{"input": {"query": "a"}}', "a"),
        ('["a"]', "a"),
        ('[{"role": "user", "content": "x"}, {"role": "user", "content": "a"}]', "a"),
        ('{"custom": "a"}', "a"),
        ('{"left": "a", "right": "b"}', '{"left": "a", "right": "b"}'),
        ('["a", "b"]', '["a", "b"]'),
        ('{"input": "{\\"question\\": \\"a\\"}"}', "a"),
        ("{not json", "{not json"),
        ('"a"', "a"),
        ('"a" or "b"', '"a" or "b"'),
        ("", ""),
    ],
)
def test_input_is_the_text_inside(value: str, text: str) -> None:
    assert input_text(value) == text


def test_output_prefers_the_answer_to_the_question_beside_it() -> None:
    assert output_text('{"question": "q", "answer": "a"}') == "a"
    assert output_text('{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}') == "a"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('{"args": [], "kwargs": {"city": "Bern"}}', '{"city":"Bern"}'),
        ('{"args": [{"city": "Bern"}], "kwargs": {}}', '{"city":"Bern"}'),
        ('{"args": [1, 2], "kwargs": {}}', "[1,2]"),
        ('{"inputs": {"city": "Bern"}, "tags": []}', '{"city":"Bern"}'),
        ('{"city": "Bern"}', '{"city": "Bern"}'),
        ('{"args": "of the tool itself", "city": "Bern"}', '{"args": "of the tool itself", "city": "Bern"}'),
    ],
)
def test_arguments_lose_only_the_decorators_wrapping(value: str, text: str) -> None:
    assert arguments_text(value) == text


def test_json_that_nests_strings_without_end_is_no_crash() -> None:
    value = "a"
    for _ in range(12):
        value = '{"input": ' + __import__("json").dumps(value) + "}"
    assert input_text(value)


def test_none_is_no_text() -> None:
    assert unquoted(None) == ""
