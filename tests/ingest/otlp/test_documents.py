import json
from typing import Any

import pytest

from holdfast.core.call import Document
from holdfast.ingest.otlp.documents import certain_documents, documents, score_of, updated_ns

SHAPES: list[Any] = [
    [{"text": "a", "score": 0.5, "metadata": {"source": "s"}, "id": "i"}],
    [{"content": "a", "similarity": 0.5, "metadata": '{"source": "s"}', "id": "i"}],
    [{"page_content": "a", "relevance_score": "0.5", "metadata": {"source": "s"}, "id": "i"}],
    {"documents": [{"content": "a", "score": 0.5, "source": "s", "id": "i"}]},
    {"results": [{"payload": {"text": "a", "source": "s"}, "score": 0.5, "id": "i"}]},
    {"matches": [{"metadata": {"text": "a", "source": "s"}, "score": 0.5, "id": "i"}]},
    [[{"page_content": "a", "id": "i", "metadata": {"source": "s"}}, 0.5]],
    [{"document": {"content": "a", "id": "i", "metadata": {"source": "s"}}, "score": 0.5}],
    [{"lc": 1, "kwargs": {"page_content": "a", "id": "i", "metadata": {"source": "s"}}, "score": 0.5}],
    {"ids": [["i"]], "documents": [["a"]], "metadatas": [[{"source": "s"}]], "distances": [[0.5]]},
    {"outputs": {"documents": [{"text": "a", "score": 0.5, "source": "s", "id": "i"}]}},
    {"output": '[{"text": "a", "score": 0.5, "source": "s", "id": "i"}]'},
    [[{"text": "a", "score": 0.5, "source": "s", "id": "i"}]],
]


@pytest.mark.parametrize("value", SHAPES)
def test_documents_of_any_shape_are_read(value: Any) -> None:
    for given in (value, json.dumps(value)):
        found = documents(given)
        assert found is not None
        assert [(d.content, d.id, d.source, d.score) for d in found] == [("a", "i", "s", 0.5)]


def test_texts_are_documents_of_their_own() -> None:
    assert documents(["a", "", "b"]) == (Document("a"), Document("b"))


@pytest.mark.parametrize(
    "value", [["a"], [{"name": "x", "age": 3}], "text", {"answer": "x", "results": [1]}, [], None, [{"text": "only"}]]
)
def test_what_may_be_something_else_is_not_taken_for_documents(value: Any) -> None:
    assert certain_documents(value) is None


@pytest.mark.parametrize("value", [{}, [None, 3], {"documents": "x"}, '{"documents": []}', 7])
def test_nothing_is_no_document(value: Any) -> None:
    assert documents(value) is None


def test_a_distance_is_a_similarity_only_where_it_is_bounded() -> None:
    assert (score_of({"distance": 0.25}), score_of({"distance": 17.0})) == (0.75, None)
    assert documents([{"text": "a", "distance": 17}]) == (Document("a", metadata={"distance": "17"}),)


MARCH = 1_772_323_200


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01",
        "2026-03-01T00:00:00Z",
        "2026-03-01T01:00:00+01:00",
        MARCH,
        str(MARCH),
        MARCH * 1000,
        MARCH * 10**6,
        MARCH * 10**9,
        float(MARCH),
    ],
)
def test_the_last_change_is_read_in_every_unit(value: object) -> None:
    assert updated_ns({"updated_at": value}) == MARCH * 10**9


@pytest.mark.parametrize("value", ["yesterday", "", None, 12, -5, "9999-99-99", float("nan"), 10**40, [1]])
def test_a_last_change_that_is_no_time_is_unknown(value: object) -> None:
    assert updated_ns({"last_modified": value}) is None


def test_a_document_that_contains_itself_a_thousand_times_is_no_crash() -> None:
    value: Any = {"text": "a"}
    for _ in range(500):
        value = [{"document": value, "score": 1}]
    documents(value)
    certain_documents(value)
