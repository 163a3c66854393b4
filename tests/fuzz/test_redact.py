"""Whatever comes in: redaction never raises, does not break JSON, and is done when it is done."""

import json
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.context.entities import RedactionPolicy, placeholders
from holdfast.context.find import find
from holdfast.context.redact import Redactor

REDACTOR = Redactor(RedactionPolicy(), b"0123456789abcdef0123456789abcdef")

SENSITIVE = (
    "joe@example.com", "joe%40example.com", "+1 415 555 2671", "(415) 555-2671", "4111111111111111", "4111 1111 1111 1111",
    "GB82 WEST 1234 5698 7654 32", "536-90-4399", "password=hunter2", '"password": "hunter2"', '"api_key":"abcDEF123456"',
    "529.982.247-25", "postgres://a:b3c@h/x", "sk-" + "aB3dE6gH9jK2mN5pQ8sT1vW4", "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----", "Authorization: Bearer aB3dE6gH9jK2mN5pQ8sT", "phone 4155552671", "ssn 536904399", "order",
    "joe\\u0040example.com", "card ", "<EMAIL_ADDRESS:12345678>", "<PHONE_NUMBER>",
)  # fmt: skip
GLUE = (
    "",
    " ",
    "\n",
    "\\n",
    "\\",
    '"',
    '\\"',
    "'",
    ":",
    ": ",
    ",",
    "=",
    "-",
    ".",
    "/",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    "@",
    "1",
    "a",
    "_",
    "+",
)
pieces = st.sampled_from(SENSITIVE) | st.sampled_from(GLUE) | st.text(max_size=6)
texts = st.lists(pieces, max_size=12).map("".join)
numbers = (
    st.integers()
    | st.sampled_from([4111111111111111, -4111111111111111, 4155552671, 536904399, 255081416802538])
    | st.floats(allow_nan=False)
)
keys = st.sampled_from(["password", "phone", "ssn", "token", "card", "n", "joe@example.com", 'a\\"', "a\\", "tel:"]) | st.text(
    max_size=8
)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5) | inner.map(json.dumps),
    max_leaves=12,
)
documents = st.lists(json_values, max_size=5) | st.dictionaries(keys, json_values, max_size=5)


def shape(value: Any) -> Any:
    """Nesting of a document; leaves and names do not matter."""
    if isinstance(value, list):
        return [shape(v) for v in value]
    if isinstance(value, dict):
        return len(value)
    return "leaf"


@given(texts)
@settings(max_examples=400, deadline=None)
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once
    assert find(once) == ()


@given(texts)
@settings(max_examples=200, deadline=None)
def test_findings_are_in_order_within_the_text_and_apart(text: str) -> None:
    found = find(text)
    assert all(0 <= f.start < f.end <= len(text) for f in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@given(st.text() | st.text(st.characters(), max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_comes_back_as_text(text: str) -> None:
    assert isinstance(REDACTOR.text(text), str)


@given(documents, st.booleans(), st.sampled_from([None, 1]))
@settings(max_examples=400, deadline=None)
def test_json_stays_json_of_the_same_shape(document: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    redacted = json.loads(REDACTOR.text(text))
    if isinstance(document, list):
        assert shape(redacted) == shape(document)
    assert type(redacted) is type(document)


@given(json_values)
@settings(max_examples=200, deadline=None)
def test_values_keep_their_shape_and_hold_nothing_sensitive(value: Any) -> None:
    redacted = REDACTOR.value(value)
    assert shape(redacted) == shape(value)
    assert REDACTOR.value(redacted) == redacted or "nan" in repr(value)


@given(st.sampled_from(SENSITIVE[:13]), st.text(" abc,.:;\n", max_size=10), st.text(" ,;\n", max_size=10))
@settings(max_examples=200, deadline=None)
def test_what_stands_in_prose_is_replaced(secret: str, before: str, after: str) -> None:
    redacted = REDACTOR.text(f"{before} {secret} {after}")
    assert placeholders(redacted)
