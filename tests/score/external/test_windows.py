"""Every character of a text is in some window, up to what is allowed, and what is left out is said."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from holdfast.score.external.windows import Cutter
from tests.score.external.tiny_model import tokenizer

SIZE = 16


@pytest.fixture
def cutter(tmp_path: Path) -> Cutter:
    tokenizer(tmp_path)
    whole, half = (Tokenizer.from_file(str(tmp_path / "tokenizer.json")) for _ in range(2))
    whole.enable_truncation(SIZE, stride=4, strategy="only_first")
    half.enable_truncation(SIZE // 2 - 4, stride=0)
    return Cutter(whole, half, 1_000)


def test_a_short_text_is_one_window(cutter: Cutter) -> None:
    pieces, note = cutter.cut(["good bad"])
    assert [(piece.start, len(piece.windows)) for piece in pieces] == [(0, 1)]
    assert note == ""


@pytest.mark.parametrize("count", [13, 14, 15, 50, 500])
def test_every_word_of_a_text_is_in_a_window_that_fits(cutter: Cutter, count: int) -> None:
    pieces, _ = cutter.cut(["good " * count])
    windows = [window for piece in pieces for window in piece.windows]
    assert all(len(window.ids) <= SIZE for window in windows)
    assert {offset for window in windows for offset in window.offsets} >= {(5 * i, 5 * i + 4) for i in range(count)}


@pytest.mark.parametrize("count", [1, 4, 5, 50])
def test_every_word_of_a_second_text_is_in_one_piece_beside_all_of_the_first(cutter: Cutter, count: int) -> None:
    pieces, _ = cutter.cut(["bad " * 60, "good " * count])
    seen = [
        piece.start + start
        for piece in pieces
        for (start, _), of in zip(piece.windows[0].offsets, piece.windows[0].sequence_ids, strict=True)
        if of == 1
    ]
    assert seen == [5 * i for i in range(count)]
    for piece in pieces:
        assert all(len(window.ids) <= SIZE for window in piece.windows)
        assert max(offset[1] for window in piece.windows for offset in window.offsets) >= 60 * 4 - 1


@pytest.mark.parametrize(
    "texts", [["good " * 500], ["good " * 500, "bad"], ["good " * 500, "bad " * 500]], ids=["one", "pair", "long pair"]
)
def test_no_more_windows_than_allowed_and_it_is_said(cutter: Cutter, texts: list[str]) -> None:
    pieces, note = Cutter(cutter.whole, cutter.half, 5).cut(texts)
    assert 0 < sum(len(piece.windows) for piece in pieces) <= 5
    assert note.endswith("windows read)")


@pytest.mark.parametrize("texts", [[""], ["", ""], ["good", ""], ["", "good"]], ids=["one", "both", "second", "first"])
def test_an_empty_text_is_a_window_too(cutter: Cutter, texts: list[str]) -> None:
    pieces, _ = cutter.cut(texts)
    assert sum(len(piece.windows) for piece in pieces) == 1
