"""Answers of the gateway's own."""

import pytest

from holdfast.control.snapshot import Dialect, Snapshot
from holdfast.gateway.answers import can_answer, own_reply, template_text
from holdfast.gateway.compiled import Compiled
from holdfast.gateway.dialects.protocol import OwnAnswer
from holdfast.gateway.dialects.registry import ENDPOINTS
from holdfast.gateway.exchange import Exchange, Request
from holdfast.testing.gateway import simple


def exchange(path: str, **headers: str) -> Exchange:
    compiled = Compiled(Snapshot(version=1, created_ns=0, desired=simple("http://127.0.0.1:1")))
    request = Request(method="POST", path=path, headers=headers)
    return Exchange(request, compiled, Dialect.OPENAI, ENDPOINTS.get(path), "req_1")


def test_words_can_stand_in_for_a_chat_and_for_nothing_else() -> None:
    answerable = {path: can_answer(exchange(path)) for path in (*ENDPOINTS, "/v1/files")}
    assert {path for path, can in answerable.items() if can} == {"/v1/chat/completions", "/v1/responses", "/v1/messages"}


def test_what_is_not_understood_is_never_answered_in_made_up_words() -> None:
    with pytest.raises(ValueError, match="not understood"):
        own_reply(exchange("/v1/files"), OwnAnswer("x"))


def test_the_language_that_the_application_says_comes_before_the_browsers() -> None:
    one = exchange("/v1/chat/completions", **{"x-holdfast-language": "DE", "accept-language": "en"})
    assert template_text(one, "sorry") == "Wir melden uns."
