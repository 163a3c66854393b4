from random import Random

import pytest

from holdfast.drills.phrases import OUT_OF_SCOPE, PHRASES, attack_text


@pytest.mark.parametrize("language", PHRASES)
def test_every_language_can_refuse_admit_ignorance_and_cite(language: str) -> None:
    phrases = PHRASES[language]
    assert all(phrases.refusals)
    assert all(phrases.unknown)
    assert all("{title}" in cite for cite in phrases.cite)


def test_no_two_languages_share_a_refusal() -> None:
    refusals = [text for phrases in PHRASES.values() for text in phrases.refusals]
    assert len(set(refusals)) == len(refusals)


def test_attacks_vary_and_are_reproducible() -> None:
    assert len({attack_text(Random(i)) for i in range(50)}) > 10
    assert attack_text(Random(3)) == attack_text(Random(3))


def test_out_of_scope_questions_are_many() -> None:
    assert len(set(OUT_OF_SCOPE)) >= 8
