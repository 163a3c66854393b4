import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from holdfast.context.json_text import quote_for, unescape

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(), v, max_size=4),
)


@given(json_values)
def test_json_means_the_same_after_its_escapes_are_read(value: object) -> None:
    text = json.dumps(value)
    assume("\\\\u" not in text)
    assume("\\\\/" not in text)
    assert json.loads(unescape(text)) == value


@given(json_values)
def test_json_inside_a_json_text_stays_readable(value: object) -> None:
    twice = json.dumps({"inner": json.dumps(value)})
    assert set(json.loads(unescape(twice))) == {"inner"}


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        (r"joe\u0040example.com", "joe@example.com"),
        (r"joe\\u0040example.com", "joe@example.com"),
        (r"https:\/\/u:p@host", "https://u:p@host"),
        (r"m\u00fcller", "müller"),
        (r"\u0022 \u005c \u000a \ud83d\ude00 \u007f", r"\u0022 \u005c \u000a \ud83d\ude00 \u007f"),
        (r"C:\users\joe", r"C:\users\joe"),
        ("plain", "plain"),
    ],
)
def test_escapes_that_hide_are_read_and_those_that_protect_are_kept(escaped: str, plain: str) -> None:
    assert unescape(escaped) == plain


def quoted(text: str, number: str = "4111") -> str:
    start = text.index(number)
    mark = quote_for(text, start, start + len(number))
    return text[:start] + mark + "X" + mark + text[start + len(number) :]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 4111}', '{"a": "X"}'),
        ('{"a":4111,"b":1}', '{"a":"X","b":1}'),
        ("[4111, 2]", '["X", 2]'),
        ("[1, 4111]", '[1, "X"]'),
        ('["a", 4111\n]', '["a", "X"\n]'),
        ('{"a": "card 4111 here"}', '{"a": "card X here"}'),
        ('["4111"]', '["X"]'),
        (r'{"s": "{\"n\": 4111}"}', r'{"s": "{\"n\": \"X\"}"}'),
        (r'{"s": "[4111, 5]"}', r'{"s": "[\"X\", 5]"}'),
        (r'{"s": "[1, 4111, 5]"}', r'{"s": "[1, \"X\", 5]"}'),
        (r'{"a\\": 4111}', r'{"a\\": "X"}'),
        ('the card 4111 was "lost": yes', 'the card X was "lost": yes'),
        ('result: {"card": 4111}', 'result: {"card": "X"}'),
        ("4111", "X"),
    ],
)
def test_a_bare_number_gets_quotation_marks_and_nothing_else_does(text: str, expected: str) -> None:
    assert quoted(text) == expected
