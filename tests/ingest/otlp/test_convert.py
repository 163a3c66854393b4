import pytest

from holdfast.ingest.otlp.convert import (
    Converter,
    amount,
    boolean,
    count,
    integer,
    json_text,
    mean_logprob,
    milliseconds,
    output_schema,
    output_type,
    real,
    scalar,
    strings,
    structured,
    text,
    text_mapping,
    tool_names,
)


@pytest.mark.parametrize(
    ("convert", "value", "result"),
    [
        (integer, "7", 7),
        (integer, 7.0, 7),
        (integer, 7.5, None),
        (integer, True, None),
        (count, -1, None),
        (count, 2**70, None),
        (real, "nan", None),
        (real, float("inf"), None),
        (real, "0.5", 0.5),
        (real, "9" * 400, None),
        (amount, -0.1, None),
        (milliseconds, 0.25, 250.0),
        (milliseconds, -1, None),
        (boolean, "HIT", True),
        (boolean, "miss", False),
        (boolean, "perhaps", None),
        (text, "", None),
        (text, 5, "5"),
        (text, {"a": 1}, '{"a":1}'),
        (strings, ["a", None, ""], ("a",)),
        (strings, '["a", "b"]', ("a", "b")),
        (strings, "a", ("a",)),
        (strings, [], None),
        (structured, " [1]", [1]),
        (structured, "{broken", None),
        (structured, "plain", None),
        (scalar, [1], "[1]"),
        (scalar, float("nan"), None),
        (text_mapping, '{"a": 1, "b": "x"}', {"a": "1", "b": "x"}),
        (text_mapping, "no", None),
        (output_type, '{"type": "json_schema"}', "json"),
        (output_type, "image", "image"),
        (output_type, "", None),
        (output_schema, {"type": "json_object"}, None),
        (output_schema, {"type": "object"}, '{"type":"object"}'),
        (tool_names, '[{"type": "function", "function": {"name": "a"}}, {"name": "b"}, {}, 3]', ("a", "b")),
        (tool_names, [], None),
        (mean_logprob, -0.5, -0.5),
        (mean_logprob, 0.5, None),
        (mean_logprob, [-1, -3], -2.0),
        (mean_logprob, '{"content": [{"token": "a", "logprob": -1}, {"token": "b", "logprob": -2}]}', -1.5),
        (mean_logprob, [], None),
        (mean_logprob, "none", None),
    ],
)
def test_a_value_is_converted_or_left_to_the_next_source(convert: Converter, value: object, result: object) -> None:
    assert convert(value) == result


@pytest.mark.parametrize("value", [2**80, {1: object()}, {"a": {1, 2}}, float("nan")])
def test_any_value_has_a_text(value: object) -> None:
    assert json_text(value)
