"""What the encoder reads of a text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.models import encoder_tokens
from holdfast.models.encoder import encoder
from holdfast.models.encoder_tokens import EVEN, FIRST, LAST, PER_TOKEN, SHAPES, WINDOW, pair, plain, shape, shapes, windows

TOKENIZER = encoder().tokenizer


def test_emoji_are_read_by_their_names_and_skin_tones_are_not_read() -> None:
    assert plain("so \U0001f621") == "so  pouting face "
    assert plain("\U0001f44d\U0001f3fe") == " thumbs up sign "


def test_a_sign_without_a_name_does_no_harm() -> None:
    assert plain("\U0001faff").strip() == ""


def test_an_empty_text_has_no_window() -> None:
    assert windows(TOKENIZER, "", 4) == []
    assert windows(TOKENIZER, " \n", 4) == []


def test_a_long_text_is_cut_between_words_into_even_windows() -> None:
    text = "Anna went to the market and bought six apples. " * 60
    found = windows(TOKENIZER, text, 3)
    assert [len(w.ids) % EVEN for w in found] == [0, 0, 0]
    assert all(not text[w.offsets[-2][1]].isalnum() for w in found)
    assert all(later.offsets[1][0] >= first.offsets[-2][1] for first, later in pairwise(found))


def test_no_token_is_lost_between_windows() -> None:
    text = "Anna paid \u20ac1,984.50 to Bob@example.org; unbelievably quick, wasn't it? " * 20
    ids = [i for w in windows(TOKENIZER, text, 50) for i in w.ids[1:-1]]
    assert ids == TOKENIZER.encode(text, add_special_tokens=False).ids


def test_windows_are_as_large_as_the_caller_wants() -> None:
    text = "a b c d e f g h " * 40
    assert [len(w.ids) for w in windows(TOKENIZER, text, 2, 128)] == [128, 128]
    assert [i for w in windows(TOKENIZER, text, 9, 128) for i in w.ids[1:-1]] == [
        i for w in windows(TOKENIZER, text, 9) for i in w.ids[1:-1]
    ]


def test_a_text_without_blanks_is_cut_all_the_same() -> None:
    found = windows(TOKENIZER, "\u9000\u8ca8" * 500, 4)
    assert [len(w.ids) for w in found] == [WINDOW] * 4


@given(st.lists(st.sampled_from("ab \u0301\u00e9\u9000\t\n.\x00\x1c\x85\u2028\u200d"), max_size=3000).map("".join))
def test_what_is_read_does_not_depend_on_how_much_is_tokenized(text: str) -> None:
    whole = TOKENIZER.encode(text, add_special_tokens=False)
    found = [i for w in windows(TOKENIZER, text, 1) for i in w.ids[1:-1]]
    assert found == whole.ids[: len(found)]
    assert len(found) >= min(len(whole.ids), WINDOW // 2 - 1)


def test_no_more_windows_are_made_than_asked_for() -> None:
    assert len(windows(TOKENIZER, "word " * 5000, 3)) == 3


@given(st.text(max_size=400))
def test_any_text_gives_windows_of_bounded_size(text: str) -> None:
    for window in windows(TOKENIZER, text.encode("utf-8", "replace").decode(), 8):
        assert 2 < len(window.ids) <= WINDOW
        assert len(window.ids) == len(window.types) == len(window.offsets)
        assert (window.ids[0], window.ids[-1]) == (FIRST, LAST)
        assert all(0 <= kind < SHAPES for kind in shapes(text, window.offsets))


def test_of_a_pair_the_longer_text_is_cut_first() -> None:
    window = pair(TOKENIZER, "long " * 300, "a short answer", 64)
    assert len(window.ids) == 64
    assert sum(window.types) == 4


def test_both_texts_of_a_pair_are_cut_when_both_are_too_long() -> None:
    window = pair(TOKENIZER, "long " * 300, "longer " * 300, 64)
    assert len(window.ids) == 64
    assert 28 <= sum(window.types) <= 33


def test_a_pair_of_empty_texts_is_still_a_window() -> None:
    assert pair(TOKENIZER, "", "", 64).ids == (FIRST, LAST, LAST)


@pytest.mark.parametrize(
    ("word", "kind"),
    [("7", 1), ("1984", 2), ("12345", 3), ("b2b", 4), ("NATO", 5), ("I", 6), ("Anna", 7), ("anna", 8), ("iPhone", 9)],
)
def test_how_a_word_is_written_is_told(word: str, kind: int) -> None:
    assert shape(word) == kind


def test_a_word_at_the_start_of_a_line_is_told_apart() -> None:
    window = windows(TOKENIZER, "Anna\nBob", 1)[0]
    assert shapes("Anna\nBob", window.offsets) == [0, 7, 18, 0]


def test_no_more_of_a_text_is_tokenized_than_can_be_read() -> None:
    """Emoji are written out by their names: twenty thousand of them are half a megabyte."""
    long = plain("\U0001f621" * 20_000)
    assert windows(TOKENIZER, long, 2) == windows(TOKENIZER, long[: 2 * WINDOW * PER_TOKEN], 2)
    assert pair(TOKENIZER, long, long, 64) == pair(TOKENIZER, long[: 64 * PER_TOKEN], long[: 64 * PER_TOKEN], 64)
    assert len(windows(TOKENIZER, long, 2)) == 2


def test_a_page_that_is_one_word_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def look(word: str) -> int:
        looked.append(word)
        return 8

    monkeypatch.setattr(encoder_tokens, "shape", look)
    text = "\u9000\u8ca8" * 500
    (window, *_) = windows(TOKENIZER, text, 1)
    assert set(shapes(text, window.offsets)[1:-1]) == {8}
    assert looked == [text]
