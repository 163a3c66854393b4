from holdfast.score.pieces import Piece, piece_of, unknown


def test_a_piece_knows_its_words_stems_pairs_and_numbers() -> None:
    piece = Piece("Refunds take 5 days. Refunds!")
    assert piece.tokens == ["refunds", "take", "5", "days", "refunds"]
    assert piece.kinds == {"refunds", "take", "5", "days"}
    assert piece.stems == {"refun"}
    assert ("take", "5") in piece.pairs
    assert piece.numbers == {"5"}
    assert piece.line == " refunds take 5 days refunds "


def test_the_same_text_is_read_once() -> None:
    assert piece_of("a document that comes back") is piece_of("a document that comes back")


def test_an_answer_to_a_question_about_a_piece_is_kept() -> None:
    asked: list[str] = []

    def work(text: str) -> int:
        asked.append(text)
        return len(text)

    piece = Piece("four")
    assert [piece.once("length", work), piece.once("length", work)] == [4, 4]
    assert asked == ["four"]


def test_a_word_is_known_in_another_form() -> None:
    assert unknown(frozenset({"refunded", "phone", "ghost"}), (Piece("a refund of phones"),)) == {"ghost"}


def test_a_short_word_is_known_only_as_it_is() -> None:
    assert unknown(frozenset({"car"}), (Piece("cars"),)) == {"car"}
    assert unknown(frozenset({"car"}), ()) == {"car"}
    assert unknown(frozenset(), (Piece("x"),)) == frozenset()
