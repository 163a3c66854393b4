"""Spans of personal data: what counts as found."""

import pytest

from holdfast.evaluation_spans import family, joined, same, spans_found

TEXT = "Anna Lind, 12 Low Road, York, 3 May and Bob"


@pytest.mark.parametrize(("one", "other"), [("GPE", "STREET_ADDRESS"), ("first name", "PERSON"), ("dob", "DATE_TIME")])
def test_types_of_different_data_sets_are_of_one_family(one: str, other: str) -> None:
    assert family(one) == family(other)


def test_a_type_that_nobody_lists_is_a_family_of_its_own() -> None:
    assert family("STAR_SIGN") == "STAR_SIGN"
    assert family("") == ""


def test_the_parts_of_an_address_are_one_span() -> None:
    assert joined(TEXT, [(11, 13, "STREET_ADDRESS"), (14, 22, "STREET_ADDRESS"), (24, 28, "GPE")]) == [(11, 28, "place")]


def test_first_and_last_name_are_one_span_but_two_people_are_not() -> None:
    spans = joined(TEXT, [(0, 4, "FIRSTNAME"), (5, 9, "LASTNAME"), (40, 43, "PERSON")])
    assert spans == [(0, 9, "person"), (40, 43, "person")]


def test_spans_that_overlap_do_not_break_joining() -> None:
    assert joined(TEXT, [(0, 9, "PERSON"), (5, 9, "PERSON")])[0][0] == 0


@pytest.mark.parametrize("said", [(0, 4, "place"), (40, 43, "person"), (0, 30, "person"), (9, 11, "person")])
def test_another_kind_another_place_and_far_too_much_are_no_find(said: tuple[int, int, str]) -> None:
    assert not same(said, (0, 9, "person"))


def test_a_label_without_a_type_matches_any() -> None:
    assert same((0, 9, "person"), (0, 8, ""))


def test_a_label_is_found_once_only() -> None:
    figures = spans_found([[(0, 9, "person"), (0, 9, "person")]], [[(0, 9, "person")]])
    assert figures == {"span_precision": 0.5, "span_recall": 1.0, "span_f2": pytest.approx(0.833333)}


def test_recall_weighs_more_than_precision() -> None:
    missed = spans_found([[(0, 9, "person")]], [[(0, 9, "person"), (40, 43, "person")]])["span_f2"]
    extra = spans_found([[(0, 9, "person"), (24, 28, "place")]], [[(0, 9, "person")]])["span_f2"]
    assert missed is not None
    assert extra is not None
    assert missed < extra


def test_without_labels_there_is_no_recall_and_no_f2() -> None:
    assert spans_found([[(0, 9, "person")]], [[]]) == {"span_precision": 0.0, "span_recall": None, "span_f2": None}
    assert spans_found([[]], [[(0, 9, "person")]])["span_f2"] == 0.0
