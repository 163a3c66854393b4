from holdfast.score.words import FUNCTION_WORDS, NEGATIONS, OPPOSITES, STOPWORDS


def test_opposites_go_both_ways() -> None:
    for word, others in OPPOSITES.items():
        assert all(word in OPPOSITES[other] for other in others), word


def test_no_word_is_its_own_opposite() -> None:
    assert not [word for word, others in OPPOSITES.items() if word in others]


def test_words_of_every_language_say_nothing_about_the_topic() -> None:
    for code, members in FUNCTION_WORDS.items():
        assert len(members) >= 20, code
        assert members <= STOPWORDS


def test_negations_are_lower_case() -> None:
    assert {"not", "nicht", "pas"} <= NEGATIONS
    assert all(w == w.lower() for w in NEGATIONS)
