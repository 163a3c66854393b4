from random import Random

from holdfast.drills.faults.garble import mojibake

TEXT = "Most items can be returned within thirty days of their delivery to you."


def test_about_the_given_share_of_words_is_damaged() -> None:
    before = TEXT.split(" ") * 50
    after = mojibake(" ".join(before), Random(1), 0.3).split(" ")
    damaged = sum(a != b for a, b in zip(before, after, strict=True))
    assert 0.18 < damaged / len(before) < 0.4


def test_a_share_of_nothing_leaves_the_text_alone() -> None:
    assert mojibake(TEXT, Random(1), 0.0) == TEXT


def test_empty_text_is_bearable() -> None:
    assert mojibake("", Random(1), 1.0) in ("", "\ufffd")
