"""Calls and traces over HTTP."""

import pytest
from fastapi.testclient import TestClient


def test_calls_are_found_by_what_they_said_and_how_they_scored(client: TestClient) -> None:
    found = client.get(
        "/api/v1/calls?service=shop&text=ORDER&metric=refusal&score_to=0.5&kind=llm&where=service.name%3Dshop"
    ).json()
    assert len(found) == 3
    assert found[0]["input"] == "Where is my order?"
    assert found[0]["scores"]["refusal"] < 0.5


def test_pages_of_calls_hold_each_once(client: TestClient) -> None:
    first = client.get("/api/v1/calls?limit=2")
    second = client.get(first.headers["link"].split(">")[0].strip("<"))
    spans = [row["span_id"] for row in first.json() + second.json()]
    assert spans == [f"{n:016x}" for n in (3, 2, 1)]
    assert "link" not in second.headers


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "where=route",
        "where=colour%3Dred",
        "kind=x",
        "score_from=-1",
        "since=now",
        "score_from=nan",
        "where=" + "&where=a%3Db" * 9,
    ],
)
def test_a_question_that_makes_no_sense_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/api/v1/calls?{query}").status_code == 422


@pytest.mark.parametrize(
    "query", ["text=elephant", "service=bank", "since=2030-01-01T00:00:00Z", "failed_scorer=refusal", "status=error"]
)
def test_nothing_found_is_an_empty_list(client: TestClient, query: str) -> None:
    assert client.get(f"/api/v1/calls?{query}").json() == []


def test_a_trace_comes_with_messages_scores_and_who_gave_them(client: TestClient) -> None:
    found = client.get(f"/api/v1/traces/{1:032x}").json()
    (call,) = found["calls"]
    assert call["input_messages"][0]["content"] == "Where is my order?"
    assert {"metric", "value", "scorer", "version", "why", "spans"} == set(call["scores"][0])


@pytest.mark.parametrize("trace", ["f" * 32, "nonsense", "%00", "'; DROP TABLE calls"])
def test_a_trace_that_is_not_there_is_not_found(client: TestClient, trace: str) -> None:
    assert client.get(f"/api/v1/traces/{trace}").status_code == 404
