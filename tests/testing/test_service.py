"""The scripted service answers what it was told, and can be as bad as real ones."""

import httpx
import pytest

from holdfast.testing.service import Request, Response, ScriptedService


def test_it_answers_by_the_question_and_remembers_it() -> None:
    def answer(request: Request) -> Response:
        return Response(body={"twice": request.body["number"] * 2})

    with ScriptedService(answer) as service:
        assert httpx.post(f"{service.url}/x", json={"number": 4}, headers={"X-Key": "k"}).json() == {"twice": 8}
        (asked,) = service.asked
    assert (asked.path, asked.body, asked.headers["x-key"]) == ("/x", {"number": 4}, "k")


def test_it_can_fail_and_say_when_to_come_back() -> None:
    with ScriptedService(lambda _: Response(status=429, raw=b"slow down", headers={"Retry-After": "3"})) as service:
        answer = httpx.post(service.url, json={})
    assert (answer.status_code, answer.text, answer.headers["retry-after"]) == (429, "slow down", "3")


def test_it_can_hang() -> None:
    with ScriptedService(lambda _: Response(hang=True)) as service, pytest.raises(httpx.ReadTimeout):
        httpx.post(service.url, json={}, timeout=0.05)
