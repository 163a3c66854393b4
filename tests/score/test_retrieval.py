from typing import Any

import pytest

from holdfast.core.call import Document, Status
from holdfast.score.retrieval import Retrieval
from tests.score.build import REFUNDS, SECOND, START, exchange, llm, retrieval, scores, trace

DAY = 86_400


def found(*documents: Document, **fields: Any) -> dict[str, float]:
    return {m: s.value for m, s in scores(Retrieval(), trace(retrieval(documents=documents, **fields), llm())).items()}


def ranked(*values: float | None) -> dict[str, float]:
    return found(*(Document(content=f"text number {i}", score=v) for i, v in enumerate(values)))


def test_the_best_score_counts_in_its_own_scale_and_as_dissimilarity() -> None:
    assert ranked(0.9, 0.5) == pytest.approx(
        {"empty_retrieval": 0, "retrieval_score": 0.9, "retrieval_dissimilarity": 0.1, "duplicate_documents": 0}
    )


def test_scores_that_ascend_are_distances() -> None:
    assert ranked(0.2, 0.6)["retrieval_dissimilarity"] == pytest.approx(0.2)


def test_scores_of_another_scale_have_no_dissimilarity() -> None:
    assert ranked(17.5, 3.0)["retrieval_score"] == 17.5
    assert "retrieval_dissimilarity" not in ranked(17.5, 3.0)


def test_a_negative_score_counts_as_nothing_and_no_number_is_left_out() -> None:
    assert ranked(-3.0, -5.0)["retrieval_score"] == 0.0
    assert "retrieval_score" not in ranked(float("nan"), None)


def test_a_retrieval_without_documents_is_empty() -> None:
    assert found() == {"empty_retrieval": 1.0}


def test_a_failed_retrieval_is_not_an_empty_one() -> None:
    assert found(status=Status.ERROR) == {}


def test_a_retrieval_that_tells_its_documents_only_as_text_is_not_empty() -> None:
    assert found(output_text='[{"page": "a"}]') == {}
    assert found(output_text="[]") == {"empty_retrieval": 1.0}


def test_age_is_the_median_of_the_documents_in_seconds() -> None:
    start = START + 2 * SECOND // 10
    ages = [Document(content=str(d), updated_ns=start - d * DAY * SECOND) for d in (1, 3, 30)]
    assert found(*ages)["stale_source"] == 3 * DAY


@pytest.mark.parametrize("updated", [None, 0, -5])
def test_an_age_that_was_not_told_is_unknown(updated: int | None) -> None:
    assert "stale_source" not in found(Document(content="x", updated_ns=updated))


def test_a_document_of_the_future_is_new() -> None:
    assert found(Document(content="x", updated_ns=START * 2))["stale_source"] == 0.0


def test_documents_that_say_the_same_are_duplicates() -> None:
    flood = found(Document(content=REFUNDS), Document(content=REFUNDS), Document(content=REFUNDS + " Really."))
    assert flood["duplicate_documents"] == 1.0
    mixed = found(Document(content=REFUNDS), Document(content="Umbrellas are yellow."), Document(content=REFUNDS))
    assert mixed["duplicate_documents"] == 0.5


def test_one_document_cannot_repeat_another() -> None:
    assert "duplicate_documents" not in found(Document(content=REFUNDS))
    assert "duplicate_documents" not in found(Document(), Document())


def test_without_a_retrieval_it_does_not_apply() -> None:
    assert not scores(Retrieval(), exchange("hi"))
