"""A service of the user's gives one score for each text, or a failure."""

from contextlib import closing
from typing import Any

import pytest

from holdfast.core.errors import UnavailableError
from holdfast.score.external.endpoint import Endpoint
from holdfast.score.external.post import Post
from holdfast.score.external.scorer import Answer
from holdfast.testing.service import Request, Response, ScriptedService

TEXTS = [{"answer": "fine"}, {"answer": "bad"}]


def asked(answer: Any) -> list[Answer | Exception]:
    respond = answer if callable(answer) else lambda _: Response(body=answer)
    with ScriptedService(respond) as service, closing(Endpoint("wrong", Post(service.url, {}, 5.0, 1))) as endpoint:
        return endpoint.ask(TEXTS)


def test_all_texts_go_in_one_request_and_come_back_in_order() -> None:
    def score(request: Request) -> Response:
        assert request.body["metric"] == "wrong"
        scores = [{"value": 0.9 if "bad" in one["answer"] else 0.1, "why": one["answer"]} for one in request.body["inputs"]]
        return Response(body={"scores": scores})

    assert asked(score) == [Answer(value=0.1, why="fine"), Answer(value=0.9, why="bad")]


def test_stretches_are_taken_over() -> None:
    first, _ = asked({"scores": [{"value": 0.5, "spans": [[0, 2, "odd"]]}, {"value": 0.5}]})
    assert isinstance(first, Answer)
    assert first.spans == ((0, 2, "odd"),)


@pytest.mark.parametrize(
    "second",
    [{"error": "model not loaded"}, {}, {"value": None}, {"value": 1.2}, {"value": -1}],
    ids=str,
)
def test_a_text_without_a_score_is_a_failure_and_the_others_are_not(second: dict[str, Any]) -> None:
    fine, failed = asked({"scores": [{"value": 0.5}, second]})
    assert isinstance(fine, Answer)
    assert isinstance(failed, UnavailableError)


@pytest.mark.parametrize(
    "body",
    [None, {}, [], {"scores": None}, {"scores": []}, {"scores": [{"value": 0.5}]}, {"scores": [{"value": 0.5}] * 3},
     {"scores": [{"value": "0.5"}, {"value": 0.5}]}, {"scores": [{"value": 0.5, "spans": [[0]]}, {"value": 0.5}]}],
    ids=str,
)  # fmt: skip
def test_an_answer_of_another_shape_or_number_is_a_failure_of_all(body: object) -> None:
    with pytest.raises(UnavailableError, match="scores"):
        asked(body)


def test_a_broken_service_is_a_failure_of_all() -> None:
    with pytest.raises(UnavailableError, match="answered 500"):
        asked(lambda _: Response(status=500))


def test_text_that_is_no_unicode_is_sent_repaired() -> None:
    seen: list[Any] = []

    def score(request: Request) -> Response:
        seen.append(request.body["inputs"])
        return Response(body={"scores": [{"value": 0.5}]})

    with ScriptedService(score) as service, closing(Endpoint("wrong", Post(service.url, {}, 5.0, 1))) as endpoint:
        endpoint.ask([{"answer": "a\ud800b"}])
    assert seen == [[{"answer": "a?b"}]]
