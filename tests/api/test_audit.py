"""The audit over HTTP."""

import pytest
from fastapi.testclient import TestClient

from holdfast.api.context import ApiContext
from holdfast.core.stream import StreamEvent


def test_acts_are_listed_newest_first_in_pages(client: TestClient) -> None:
    for text in ("one", "two", "three"):
        client.post("/api/v1/incidents/inc_1/comment", json={"text": text})
    first = client.get("/api/v1/audit?limit=2")
    assert [row["after"]["text"] for row in first.json()] == ["three", "two"]
    rest = client.get(first.headers["link"].split(">")[0].strip("<")).json()
    assert [(row["after"]["text"], row["actor"], row["target"]) for row in rest] == [("one", "token:test", "inc_1")]


def test_an_event_of_another_kind_is_told_as_it_is(client: TestClient, context: ApiContext) -> None:
    context.ledger.accounts.note(StreamEvent(time_ns=1, actor="x", type="Later", body='{"type":"Later","n":1}'))
    assert client.get("/api/v1/audit").json()[0]["body"] == {"type": "Later", "n": 1}


def test_the_chain_is_verified(client: TestClient) -> None:
    found = client.get("/api/v1/audit/verify").json()
    assert (found["ok"], found["findings"]) == (True, [])
    assert len(found["anchor"]["hash"]) == 64


@pytest.mark.parametrize("query", ["stream=secrets", "limit=0", "cursor=-1"])
def test_a_question_that_makes_no_sense_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/api/v1/audit?{query}").status_code == 422
