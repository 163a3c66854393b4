"""Second opinions on texts."""

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.score.opinion import MAX_WINDOWS, answer_opinion, opinion, prepared
from holdfast.score.pieces import Piece

HEADS = {"toxicity", "unsafe_request", "unsafe_output", "prompt_injection", "document_injection"}


def test_disguises_are_taken_off_before_the_encoder_reads() -> None:
    assert prepared("Y\u200bОU") == prepared("you")
    assert "pouting face" in prepared("\U0001f621")


def test_every_head_has_its_say() -> None:
    assert set(opinion(Piece("How do I get to the station?"))) == HEADS
    assert set(answer_opinion("How do I get there?", "Take the bus.")) == HEADS


@pytest.mark.parametrize("text", ["", " \n", "\u200b"])
def test_of_nothing_there_is_no_opinion(text: str) -> None:
    assert opinion(Piece(text)) == {}


def test_an_empty_question_does_not_keep_the_answer_from_being_read() -> None:
    assert set(answer_opinion("", "Take the bus.")) == HEADS


def test_a_text_is_read_once() -> None:
    piece = Piece("How do I get to the station?")
    first = opinion(piece)
    assert opinion(piece) is first


def test_a_megabyte_takes_no_longer_than_a_page() -> None:
    opinion(Piece("warm up"))
    started = time.thread_time()
    opinion(Piece("a word of no meaning " * 50_000))
    assert time.thread_time() - started < 3.0


def test_the_worst_of_the_windows_counts() -> None:
    harmless = "The garden was full of flowers and the children played until dinner. " * 8
    hateful = "You are a disgusting idiot and I hope you die. "
    assert opinion(Piece(harmless + hateful))["toxicity"] > opinion(Piece(harmless))["toxicity"]
    assert MAX_WINDOWS >= 2


@settings(max_examples=25)
@given(st.text(max_size=200))
def test_any_text_gets_finite_log_odds(text: str) -> None:
    assert all(math.isfinite(v) for v in opinion(Piece(text.encode("utf-8", "replace").decode())).values())
