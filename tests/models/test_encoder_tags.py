"""Tags made into spans."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from holdfast.models.encoder_tags import MOST, likeliest, spans

TAGS = ("O", "B-PERSON", "I-PERSON", "B-GPE", "I-GPE")


def scores(*rows: dict[str, float]) -> np.ndarray:
    return np.array([[row.get(tag, -5.0) for tag in TAGS] for row in rows], np.float32)


def test_the_middle_of_a_name_cannot_come_without_its_beginning() -> None:
    assert likeliest(scores({"I-PERSON": 5.0, "B-PERSON": 4.0}, {"I-PERSON": 5.0}), TAGS) == ["B-PERSON", "I-PERSON"]
    assert likeliest(scores({"B-GPE": 5.0}, {"I-PERSON": 5.0, "I-GPE": 4.5}), TAGS) == ["B-GPE", "I-GPE"]


def test_a_text_without_tokens_has_no_tags() -> None:
    assert likeliest(scores().reshape(0, len(TAGS)), TAGS) == []


@given(st.lists(st.lists(st.floats(-20, 20, width=32), min_size=5, max_size=5), max_size=12))
def test_every_sequence_is_well_formed(rows: list[list[float]]) -> None:
    found = likeliest(np.array(rows, np.float32).reshape(-1, len(TAGS)), TAGS)
    assert len(found) == len(rows)
    for before, tag in zip(["O", *found], found, strict=False):
        assert not tag.startswith("I-") or before[2:] == tag[2:]


def test_a_span_covers_whole_words() -> None:
    assert spans("Anna Lindqvist, York", [(0, 4), (5, 9), (16, 20)], ["B-PERSON", "I-PERSON", "B-GPE"]) == [
        (0, 14, "PERSON"),
        (16, 20, "GPE"),
    ]


def test_spans_never_overlap() -> None:
    assert spans("Lindqvist", [(0, 4), (4, 9)], ["B-PERSON", "B-GPE"]) == [(0, 9, "PERSON")]


def test_marks_and_ordinary_text_give_no_span() -> None:
    assert spans("Anna", [(0, 0), (0, 4)], ["B-PERSON", "O"]) == []


def test_in_a_script_without_blanks_a_span_does_not_grow_to_the_whole_page() -> None:
    page = "\u9000\u8ca8" * 5_000
    ((start, end, _),) = spans(page, [(4_000, 4_002)], ["B-PERSON"])
    assert (start, end) == (4_000 - MOST, 4_002 + MOST)
