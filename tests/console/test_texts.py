"""Untrusted text stays text, whole and in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.console.texts import LONGEST, pieces
from holdfast.core.score import Span

SPANS = st.lists(st.builds(Span, st.just("answer"), st.integers(-5, 60), st.integers(-5, 60), st.text(max_size=5)), max_size=6)


@given(st.text(max_size=50), SPANS)
def test_whatever_is_marked_nothing_of_a_text_is_lost_or_doubled(text: str, spans: list[Span]) -> None:
    assert "".join(piece.text for piece in pieces(text, spans)) == text


def test_marks_and_redactions_are_told_apart() -> None:
    text = "Call <PHONE_NUMBER:ab12cd34> in 42 hours"
    start = text.index("42")
    found = pieces(text, [Span("answer", start, start + 2, "in no source")])
    assert [(p.kind, p.text) for p in found] == [
        ("plain", "Call "),
        ("redacted", "PHONE_NUMBER:ab12cd34"),
        ("plain", " in "),
        ("marked", "42"),
        ("plain", " hours"),
    ]
    assert found[3].why == "in no source"


def test_a_long_text_is_cut_and_says_so() -> None:
    found = pieces("x" * (LONGEST + 7))
    assert found[-1].text == " … 7 more characters"


def test_an_empty_text_has_no_pieces() -> None:
    assert pieces("") == []


@pytest.mark.parametrize("text", ["<INPUT>", "<HTML>", "<EMAIL_ADDRESS:xyz>", "<COLOUR:3fa9c1d2>"])
def test_what_only_looks_like_a_redaction_is_shown_as_it_came(text: str) -> None:
    assert [(p.kind, p.text) for p in pieces(text)] == [("plain", text)]
