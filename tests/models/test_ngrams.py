import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.models.ngrams import BATCH, BUCKETS, CAP, codes, ngrams, ngrams_of_all


def kinds(text: str) -> set[int]:
    return set(ngrams(text).buckets.tolist())


def test_the_same_text_has_the_same_ngrams_in_every_process() -> None:
    # Hashes are part of the artefact: another value here means that every head must be trained again.
    assert sorted(ngrams("abc").buckets.tolist()) == [12071, 23591, 47628, 71843, 84805, 106448, 119533]


def test_a_word_has_the_same_hash_wherever_it_stands() -> None:
    shared = kinds("zebra") & kinds("the tall zebra ran")
    assert len(shared) >= len(ngrams(" zebra ").buckets) - 2


def test_numbers_differ_in_length_only() -> None:
    assert kinds("order 12345") == kinds("order 98760")
    assert kinds("order 12345") != kinds("order 123")


def test_blanks_of_any_kind_count_as_one() -> None:
    assert kinds("a  b\n\tc") == kinds("a b c")


def test_word_order_matters() -> None:
    assert kinds("dog bites man") != kinds("man bites dog")


@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u00a0"])
def test_a_blank_text_has_none(text: str) -> None:
    assert ngrams(text).buckets.size == 0


@pytest.mark.parametrize("text", ["x", "?", "é", "退", "🙂", "\x00", "\u200b"])
def test_one_character_is_enough_for_some(text: str) -> None:
    assert ngrams(text).buckets.size >= 1


def test_lone_surrogates_are_refused_by_name() -> None:
    with pytest.raises(UnicodeEncodeError):
        ngrams("\ud800")


def test_only_the_first_characters_are_read() -> None:
    assert ngrams("word " * CAP).length <= CAP + 2
    assert np.array_equal(ngrams("a" * CAP).buckets, ngrams("a" * (CAP + 500)).buckets)


def test_a_megabyte_takes_no_longer_than_the_cap() -> None:
    started = time.process_time()
    ngrams("lorem ipsum " * 90_000)
    assert time.process_time() - started < 1.0


def test_code_points_keep_every_script() -> None:
    assert codes("a退🙂").tolist() == [97, ord("退"), ord("🙂")]


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_gives_buckets_and_places_within_bounds(text: str) -> None:
    found = ngrams(text)
    if found.buckets.size:
        assert 0 <= found.buckets.min() <= found.buckets.max() < BUCKETS
        assert 0 <= found.words.min(initial=0) <= found.words.max(initial=0) < found.length


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60), max_size=12))
def test_texts_counted_together_have_the_ngrams_that_they_have_alone(texts: list[str]) -> None:
    for text, found in zip(texts, ngrams_of_all(texts), strict=True):
        alone = ngrams(text)
        assert np.array_equal(found.buckets, alone.buckets)
        assert np.array_equal(found.words, alone.words)
        assert found.length == alone.length


def test_more_text_than_one_batch_holds_is_counted_in_several() -> None:
    texts = ["", "word " * (BATCH // 6), "other words " * (BATCH // 13), "x" * CAP, "last one"]
    assert [n.buckets.size for n in ngrams_of_all(texts)] == [ngrams(t).buckets.size for t in texts]


@pytest.mark.parametrize("text", ["a", "ab", "one", "dog bites man", "x y z, and so on: 12 more words of it"])
def test_each_kind_is_counted_up_to_a_place(text: str) -> None:
    found = ngrams(text)
    rows = found.before(np.arange(found.length + 1))
    assert rows[0, 0] == 0
    assert rows[-1, -1] == found.buckets.size
    assert np.array_equal(rows[1:, 0], rows[:-1, -1])
    assert np.array_equal(np.diff(rows[3]).nonzero()[0], found.words)
