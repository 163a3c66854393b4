from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.ids import derived_id, random_id


def test_a_random_id_says_of_what_it_is() -> None:
    prefix, _, rest = random_id("inc").partition("_")
    assert (prefix, len(rest)) == ("inc", 12)


def test_random_ids_differ() -> None:
    assert len({random_id("inc") for _ in range(1_000)}) == 1_000


@given(st.lists(st.text() | st.integers()))
def test_a_derived_id_is_the_same_every_time(parts: list[object]) -> None:
    assert derived_id("sig", *parts) == derived_id("sig", *parts)


def test_a_derived_id_does_not_depend_on_this_process() -> None:
    assert derived_id("sig", "latency", 7) == "sig_02dfd6dbf0b4"


def test_other_parts_make_another_id() -> None:
    ids = {derived_id("a", "b", "c"), derived_id("a", "bc"), derived_id("a", "b"), derived_id("a"), derived_id("a", "c", "b")}
    assert len(ids) == 5


def test_text_without_utf8_form_has_an_id_too() -> None:
    assert derived_id("a", "\ud800") != derived_id("a", "\ud801")
