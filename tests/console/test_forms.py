"""Forms are taken from pages of ours only."""

import pytest

from holdfast.console.forms import MAX_BODY_BYTES, Form
from holdfast.core.errors import InputError
from tests.console.conftest import Visitor


@pytest.mark.parametrize("csrf", ["", "wrong", "é"])
def test_a_form_without_the_sessions_secret_changes_nothing(responder: Visitor, csrf: str) -> None:
    answer = responder.post("/incidents/inc_1/acknowledge", data={"csrf": csrf})
    assert answer.status_code == 403
    assert "Acknowledge</button>" in responder.get("/incidents/inc_1").text


def test_the_secret_of_another_session_is_worth_nothing(responder: Visitor, admin: Visitor) -> None:
    answer = responder.post("/incidents/inc_1/acknowledge", data={"csrf": admin.csrf("/")})
    assert answer.status_code == 403


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}])
def test_a_form_of_another_site_changes_nothing(responder: Visitor, headers: dict[str, str]) -> None:
    csrf = responder.csrf("/incidents/inc_1")
    answer = responder.post("/incidents/inc_1/acknowledge", data={"csrf": csrf}, headers=headers)
    assert answer.status_code == 403


def test_a_form_that_is_too_large_is_refused(responder: Visitor) -> None:
    assert responder.post("/incidents/inc_1/comment", data={"text": "x" * (MAX_BODY_BYTES + 1)}).status_code == 413


@pytest.mark.parametrize("body", [b"\xff\xfe=1", b"&".join(b"a=%d" % n for n in range(700))], ids=["bytes", "fields"])
def test_a_form_that_cannot_be_read_is_refused(responder: Visitor, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert responder.post("/incidents/inc_1/comment", content=body, headers=headers).status_code in (403, 422)


def test_a_field_that_must_be_filled_in_is_named() -> None:
    form = Form([("text", "  "), ("long", "x" * 20)])
    with pytest.raises(InputError, match="The comment is missing"):
        form.must("text", "The comment")
    with pytest.raises(InputError, match="over 10"):
        form.must("long", "The name", 10)
