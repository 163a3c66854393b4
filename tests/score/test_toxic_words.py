from holdfast.score.toxic_words import PHRASES, WEIGHTS


def test_words_are_lower_case_and_weighed_between_nothing_and_certainty() -> None:
    for word, weight in WEIGHTS.items():
        assert word == word.lower()
        assert 0 < weight <= 2.0


def test_a_word_with_a_harmless_meaning_weighs_little() -> None:
    assert WEIGHTS["hell"] < 0.1 < WEIGHTS["bastard"]


def test_threats_are_found_in_either_case() -> None:
    assert PHRASES.search("KILL YOURSELF")
    assert not PHRASES.search("kill the process")
