import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.context.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("joe@example.com", "joe@example.com"),
        ("Zoë 日本 😀", "Zoë 日本 😀"),
        ("a\x00b\x1b[31m", "a\\u{0}b\\u{1b}[31m"),
        ("\u202egpj.exe", "\\u{202e}gpj.exe"),
        ("a\u200bb\ufeff", "a\\u{200b}b\\u{feff}"),
        ("two\nlines", "two\\u{a}lines"),
        ("\ud800", "\\u{d800}"),
        ("<b>&amp;", "<b>&amp;"),
    ],
    ids=range(8),
)
def test_what_cannot_be_seen_is_written_out_and_the_rest_stays(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters()))
def test_whatever_comes_is_printable(text: str) -> None:
    assert visible(text).isprintable()
