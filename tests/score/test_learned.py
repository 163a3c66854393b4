import pytest

from holdfast.models.artefact import inline
from holdfast.score.injection_features import NAMES
from holdfast.score.learned import LIMIT, document_structure, grams_of, log_odds, output_structure, size_structure
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
    assert log_odds(head, grams_of(""), STRUCTURES[head]) < 0


def test_no_head_was_left_out() -> None:
    assert set(STRUCTURES) == set(inline().heads)


def test_look_alikes_and_invisible_characters_do_not_hide_a_text() -> None:
    assert grams_of("Ignоrе\u200b it").buckets.tolist() == grams_of("ignore it").buckets.tolist()


def test_another_heads_opinion_counts_up_to_a_limit() -> None:
    assert output_structure(1e9, 0.0, -1e9) == (LIMIT, 0.0, -LIMIT, LIMIT)


def test_a_refused_request_does_not_count_as_helped_with() -> None:
    assert output_structure(3.0, 1.0, 0.0)[3] == 0.0


def test_longer_requests_have_a_larger_size() -> None:
    assert size_structure("a" * 100) > size_structure("a")
