"""Personal data in texts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.score.personal import combined, disjoint, personal_spans, structured


def found(text: str) -> set[tuple[str, str]]:
    return {(text[s:e], kind) for s, e, kind in personal_spans(text)}


@pytest.mark.parametrize(
    ("text", "span", "kind"),
    [
        ("My name is Anna Lindqvist.", "Anna Lindqvist", "PERSON"),
        ("Please call me on +44 20 7946 0958.", "+44 20 7946 0958", "PHONE_NUMBER"),
        ("Write to anna.lind@example.org today", "anna.lind@example.org", "EMAIL_ADDRESS"),
        ("It is on https://www.Lindqvist.se/ now", "https://www.Lindqvist.se/", "DOMAIN_NAME"),
        ("blocked 41.173.96.26 again", "41.173.96.26", "IP_ADDRESS"),
        ("We moved to Portugal last year.", "Portugal", "GPE"),
        ("I was born on 3 May 1984.", "3 May 1984", "DATE_TIME"),
    ],
)
def test_personal_data_is_found_whole_and_by_its_kind(text: str, span: str, kind: str) -> None:
    assert (span, kind) in found(text)


def test_an_address_over_several_lines_is_found() -> None:
    text = "Send it to 12 Low Road,\nApt. 4\nYork YO1 7HH please"
    assert any(span.startswith("12 Low Road") for span, _ in found(text))


@pytest.mark.parametrize(
    "text",
    [
        "The total comes to 42 dollars, shipping is free.",
        "Please restart the router and wait for two minutes.",
        "Add 200 g of flour and 3 eggs, then bake for 25 minutes.",
        "def add(a, b):\n    return a + b",
        "Thanks! That works now.",
        "",
        " ",
    ],
)
def test_ordinary_text_has_none(text: str) -> None:
    assert found(text) == set()


def test_what_a_checksum_proves_wins_over_what_the_encoder_says() -> None:
    assert combined([(0, 16, "CREDIT_CARD")], [(0, 16, "PHONE_NUMBER")]) == [(0, 16, "CREDIT_CARD")]


def test_a_form_that_proves_little_gives_way_to_the_encoder() -> None:
    assert combined([(0, 9, "PHONE_NUMBER")], [(0, 9, "ID")]) == [(0, 9, "ID")]
    assert combined([(0, 9, "PHONE_NUMBER")], []) == [(0, 9, "PHONE_NUMBER")]


def test_half_an_address_of_mail_is_not_told_beside_the_whole() -> None:
    assert combined([(0, 20, "EMAIL_ADDRESS")], [(0, 9, "PERSON"), (30, 40, "EMAIL_ADDRESS")]) == [(0, 20, "EMAIL_ADDRESS")]


def test_of_overlapping_finds_the_longer_one_that_begins_first_stays() -> None:
    assert disjoint([(5, 9, "A"), (0, 4, "B"), (0, 6, "C")]) == [(0, 6, "C")]


def test_a_link_with_an_address_in_it_is_one_find() -> None:
    assert structured("https://10.0.0.1/a?x=y") == [(0, 22, "DOMAIN_NAME")]


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=200))
def test_in_any_text_finds_are_in_order_and_apart(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    end = 0
    for start, stop, kind in personal_spans(text):
        assert end <= start < stop <= len(text)
        assert kind
        end = stop
