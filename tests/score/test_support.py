"""What the encoder is shown of an answer and its sources."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.models.encoder import encoder
from holdfast.score.support import MAX_PARTS, PART, SHOWN, Sources, doubts, notes, number, parts, window, worst

FILLER = [f"The {n}th paragraph speaks of garden chairs and their colour." for n in range(60)]
SOURCES = Sources([" ".join([*FILLER, "The battery lasts 9.5 hours and was made by Volta in Turin.", *FILLER])])


def test_a_part_stands_beside_the_sentence_that_speaks_of_it() -> None:
    assert "Volta" in parts(SOURCES, "Volta makes the battery in Turin.")[0].shown


def test_what_is_shown_is_bounded() -> None:
    assert len(parts(Sources(["word " * 9000]), "a word")[0].shown) <= 2 * SHOWN
    assert len(parts(SOURCES, "chairs")[0].shown) <= 2 * SHOWN


def test_an_answer_is_cut_between_sentences_and_not_read_for_ever() -> None:
    answer = "The battery lasts long. " * 400
    found = parts(SOURCES, answer)
    assert len(found) == MAX_PARTS
    assert all(len(p.text) <= PART and answer[p.start :].startswith(p.text) for p in found)


def test_an_answer_about_something_else_still_has_something_beside_it() -> None:
    assert parts(SOURCES, "Zebras!")[0].shown


def test_without_sources_nothing_is_shown() -> None:
    assert parts(Sources([]), "The battery lasts long.")[0].shown == ""


def test_without_an_answer_there_is_no_part() -> None:
    assert parts(SOURCES, " ") == []


@pytest.mark.parametrize(("word", "plain"), [("1,200", "1200"), ("9.50", "9.5"), ("30", "30"), ("3.0", "3"), ("v2", "v2")])
def test_numbers_are_compared_by_value(word: str, plain: str) -> None:
    assert number(word) == plain


def test_words_are_noted_by_what_the_sources_know_of_them() -> None:
    part = parts(SOURCES, "In Turin the batteries never last 9.50 or 12 hours, Otto frowned.")[0]
    read = window(encoder().tokenizer, part)
    told = {
        part.text[s:e]: note
        for (s, e), side, note in zip(read.offsets, read.types, notes(SOURCES, part, read), strict=True)
        if side
    }
    assert (told["Turin"], told["batteries"], told["never"], told["12"], told["Otto"], told["frowned"]) == (6, 8, 2, 4, 7, 9)


def test_an_invented_number_is_doubted_more_than_the_true_one() -> None:
    asked = encoder()
    values = []
    for hours in ("9.5", "47"):
        ((read, said),) = doubts(asked, SOURCES, parts(SOURCES, f"The battery lasts {hours} hours."))
        values.append(worst(read, said))
    assert values[0] < values[1]


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_texts_give_parts_and_notes(source: str, answer: str) -> None:
    source, answer = (t.encode("utf-8", "replace").decode() for t in (source, answer))
    sources = Sources([source])
    for part in parts(sources, answer):
        read = window(encoder().tokenizer, part)
        assert len(notes(sources, part, read)) == len(read.ids)
