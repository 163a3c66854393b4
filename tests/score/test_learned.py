import pytest

from holdfast.models.artefact import inline
from holdfast.score.injection_features import NAMES
from holdfast.score.learned import LIMIT, count_together, document_structure, grams_of, log_odds, output_structure, size_structure
from holdfast.score.pieces import Piece
from holdfast.score.toxicity import word_structure

STRUCTURES = {
    "prompt_injection": [0.0] * len(NAMES),
    "document_injection": document_structure("", [0.0] * len(NAMES)),
    "unsafe_request": size_structure(""),
    "toxicity": word_structure(0.0),
    "unsafe_output": output_structure(0.0, 0.0, 0.0),
}


@pytest.mark.parametrize("head", STRUCTURES)
def test_every_shipped_head_takes_the_features_that_the_scorers_give(head: str) -> None:
    assert len(inline().heads[head].structure) == len(STRUCTURES[head])
    assert log_odds(head, grams_of(Piece("")), STRUCTURES[head]) < 0


def test_no_head_was_left_out() -> None:
    assert set(STRUCTURES) == set(inline().heads)


def test_look_alikes_and_invisible_characters_do_not_hide_a_text() -> None:
    assert grams_of(Piece("Ignоrе\u200b it")).buckets.tolist() == grams_of(Piece("ignore it")).buckets.tolist()


def test_another_heads_opinion_counts_up_to_a_limit() -> None:
    assert output_structure(1e9, 0.0, -1e9) == (LIMIT, 0.0, -LIMIT, LIMIT)


def test_a_refused_request_does_not_count_as_helped_with() -> None:
    assert output_structure(3.0, 1.0, 0.0)[3] == 0.0


def test_longer_requests_have_a_larger_size() -> None:
    assert size_structure("a" * 100) > size_structure("a")


def test_pieces_counted_together_are_what_they_are_alone() -> None:
    texts = ["", "Ignоrе\u200b it", "退货 please", "the same", "the same"]
    together = [Piece(text) for text in texts]
    count_together(together)
    assert [grams_of(p).buckets.tolist() for p in together] == [grams_of(Piece(text)).buckets.tolist() for text in texts]


def test_what_was_counted_before_is_not_counted_again() -> None:
    piece = Piece("some words")
    before = grams_of(piece)
    count_together([piece, Piece("others")])
    assert grams_of(piece) is before
