"""Requests to a service that may be slow, broken or gone: bounded in time, in retries and in what is read."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from holdfast.core.errors import BackpressureError, UnavailableError
from holdfast.score.external import post as posting
from holdfast.score.external.post import LONGEST_PAUSE_S, Post
from holdfast.testing.service import Response, ScriptedService


class Script:
    """Answers in order, and the last one again and again."""

    def __init__(self, *responses: Response) -> None:
        self._responses = iter(responses)
        self._last = responses[-1]

    def __call__(self, _: object) -> Response:
        return next(self._responses, self._last)


@pytest.fixture
def pauses() -> list[float]:
    return []


def sent(script: Script, pauses: list[float], attempts: int = 3, timeout_s: float = 5.0) -> tuple[bytes | str, int]:
    """What came back, or why nothing did; and how often it was asked."""
    with ScriptedService(script) as service, closing(Post(service.url, {}, timeout_s, attempts, pauses.append)) as post:
        try:
            return post.send(b'{"a":1}'), len(service.asked)
        except UnavailableError as error:
            return str(error), len(service.asked)


OK = Response(body={"fine": True})


def test_a_body_is_posted_with_the_headers() -> None:
    with ScriptedService(Script(OK)) as service, closing(Post(service.url, {"x-key": "secret"}, 5.0)) as post:
        assert post.send(b'{"a":1}') == b'{"fine": true}'
        (asked,) = service.asked
    assert (asked.body, asked.headers["x-key"], asked.headers["content-type"]) == ({"a": 1}, "secret", "application/json")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_tried_again(status: int, pauses: list[float]) -> None:
    assert sent(Script(Response(status=status), OK), pauses) == (b'{"fine": true}', 2)
    assert len(pauses) == 1


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 422])
def test_what_will_not_pass_is_told_at_once(status: int, pauses: list[float]) -> None:
    assert sent(Script(Response(status=status, headers={"location": "/x"})), pauses) == (f"answered {status}", 1)


def test_attempts_are_limited_and_told(pauses: list[float]) -> None:
    assert sent(Script(Response(status=503)), pauses) == ("answered 503 (3 attempts)", 3)


def test_a_service_that_says_when_is_not_asked_earlier_nor_waited_for_without_end(pauses: list[float]) -> None:
    sent(
        Script(Response(status=429, headers={"retry-after": "7"}), Response(status=429, headers={"retry-after": "9999"})), pauses
    )
    assert pauses[0] >= 7
    assert pauses[1] == LONGEST_PAUSE_S


def test_an_odd_retry_after_is_none(pauses: list[float]) -> None:
    sent(Script(Response(status=429, headers={"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}), OK), pauses)
    assert pauses[0] <= 0.5


def test_a_service_that_hangs_is_given_up(pauses: list[float]) -> None:
    assert sent(Script(Response(hang=True)), pauses, attempts=2, timeout_s=0.05) == ("no answer within 0.05 s (2 attempts)", 2)


def test_a_service_that_is_gone_is_told(pauses: list[float]) -> None:
    gone = pytest.raises(UnavailableError, match=r"ConnectError.*2 attempts")
    with closing(Post("http://127.0.0.1:1", {}, 1.0, 2, pauses.append)) as post, gone:
        post.send(b"{}")


def test_an_endless_answer_is_not_read(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "MAX_ANSWER_BYTES", 1000)
    assert sent(Script(Response(raw=b"x" * 5000)), pauses) == ("answered with more than 1000 bytes", 1)


def test_an_outage_is_not_made_worse_by_retries(pauses: list[float]) -> None:
    with (
        ScriptedService(Script(Response(status=503))) as service,
        closing(Post(service.url, {}, 5.0, 3, pauses.append)) as client,
    ):
        for _ in range(30):
            with pytest.raises(UnavailableError):
                client.send(b"{}")
        assert len(service.asked) == 30 + 10


def test_what_is_asked_before_each_attempt_can_stop_it(pauses: list[float]) -> None:
    allowed: Iterator[int] = iter([1, 2])

    def before() -> None:
        if next(allowed, None) is None:
            raise BackpressureError("spent", 60)

    with ScriptedService(Script(Response(status=503))) as service, closing(Post(service.url, {}, 5.0, 9, pauses.append)) as post:
        with pytest.raises(BackpressureError, match="spent"):
            post.send(b"{}", before)
        assert len(service.asked) == 2


def test_no_message_has_a_secret_in_it(pauses: list[float]) -> None:
    secret = {"authorization": "Bearer hunter2"}
    with closing(Post("http://127.0.0.1:1", secret, 1.0, 1, pauses.append)) as client, pytest.raises(UnavailableError) as raised:
        client.send(b"{}")
    assert "hunter2" not in repr(raised.value) + repr(client)
