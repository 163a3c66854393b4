"""An original is asked for with a reason, and shown as text."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi import FastAPI

from holdfast.access.roles import Role
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.api.revealing import Revealing
from holdfast.console.router import router
from holdfast.core.call import Document, Message
from holdfast.telemetry.store import TelemetryStore
from holdfast.testing.clock import FakeClock
from holdfast.vault.store import Vault
from tests.api.vaults import PSEUDONYM, VALUE, filled, mentioning, original
from tests.console.conftest import Visitor

ASK = "/reveals?application=shop&pseudonym=EMAIL_ADDRESS%3A3fa9c1d2&back=%2Ftraces%2Fx"
FIELDS = {"application": "shop", "pseudonym": PSEUDONYM, "reason": "customer asked what leaked", "back": "/traces/x"}


@pytest.fixture
def vault(tmp_path: Path, context: ApiContext) -> Iterator[Vault]:
    with filled(tmp_path, context.clock) as opened:
        yield opened


@pytest.fixture
def app(context: ApiContext, vault: Vault) -> FastAPI:
    return create_app(msgspec.structs.replace(context, revealing=Revealing(vault, context.access, context.clock)), router)


@pytest.fixture
def approver(sign_in: Callable[..., Visitor]) -> Visitor:
    return sign_in(Role.APPROVER, "shop")


@pytest.fixture
def redacted(telemetry: TelemetryStore) -> str:
    """Path of a trace that names the pseudonym in a message, a document and an error, and one that nobody sealed."""
    said = f"write to <{PSEUDONYM}> or <PHONE_NUMBER:00000000>"
    asked = (Message(role="user", content=said),)
    scored = mentioning(700, input_messages=asked, documents=(Document(content=said),), error_message=said)
    telemetry.append([scored])
    return f"/traces/{scored.trace.trace_id}"


def submit(visitor: Visitor, **changes: str) -> Any:
    return visitor.submit("/", "/reveals", **{**FIELDS, **changes})


def test_a_badge_leads_to_its_original_wherever_it_stands(approver: Visitor, redacted: str) -> None:
    text = approver.get(redacted).text
    assert text.count("data-ask>Reveal…</a>") == 3
    assert "/reveals?application=shop&amp;pseudonym=EMAIL_ADDRESS%3A3fa9c1d2&amp;back=%2Ftraces%2F" in text
    assert text.count('class="redacted"') == 6


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RESPONDER])
def test_who_may_not_is_not_offered_it_and_is_refused(sign_in: Callable[..., Visitor], redacted: str, role: Role) -> None:
    visitor = sign_in(role)
    assert "Reveal…" not in visitor.get(redacted).text
    assert visitor.get(ASK).status_code == 403
    assert submit(visitor).status_code == 403


def test_asking_says_that_it_is_noted_and_reveals_nothing(approver: Visitor, context: ApiContext) -> None:
    text = approver.get(ASK).text
    assert "stays there for ever" in text
    assert VALUE not in text


def test_with_a_reason_it_is_shown_for_a_minute_and_no_cache_keeps_it(approver: Visitor) -> None:
    answer = submit(approver)
    assert answer.status_code == 200
    assert f">{VALUE}</p>" in answer.text
    assert '<meta http-equiv="refresh" content="60;url=/traces/x">' in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_the_audit_tells_of_it_with_the_reason_and_without_the_value(approver: Visitor, admin: Visitor) -> None:
    submit(approver)
    text = admin.get("/audit").text
    for told in ("OriginalRevealed", "user:approver-shop", PSEUDONYM, "customer asked what leaked"):
        assert told in text
    assert VALUE not in text


def test_a_form_of_another_session_reveals_nothing(approver: Visitor) -> None:
    answer = approver.post("/reveals", data={**FIELDS, "csrf": "guess"})
    assert answer.status_code == 403
    assert VALUE not in answer.text


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"reason": "because"}, 422),
        ({"reason": ""}, 422),
        ({"reason": f"{VALUE} asked for it"}, 422),
        ({"pseudonym": "EMAIL_ADDRESS:00000000"}, 404),
        ({"pseudonym": "<b>"}, 422),
        ({"application": "bank"}, 404),
    ],
    ids=range(6),
)
def test_what_is_not_a_question_is_a_page_that_says_why(approver: Visitor, changes: dict[str, str], status: int) -> None:
    answer = submit(approver, **changes)
    assert answer.status_code == status
    assert f">{VALUE}</p>" not in answer.text


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\\evil.example",
        "/\t/evil.example",
        "/\r\n/evil.example",
        "",
    ],
    ids=range(7),
)
def test_it_leads_back_to_pages_of_ours_only(approver: Visitor, back: str) -> None:
    assert 'content="60;url=/calls"' in submit(approver, back=back).text


HOSTILE = ("<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "a\x00b\x1b\u202egpj", "x" * 4_096, "{{ 7 * 7 }}")


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_original_is_text(approver: Visitor, vault: Vault, context: ApiContext, value: str) -> None:
    vault.keep([original(FakeClock(context.clock.now_ns() + 1), value)])
    text = submit(approver).text
    for never in ("<script>alert", "<img", "\x1b", "\u202e", "\x00", ">49<"):
        assert never not in text
    assert "a\\u{0}b\\u{1b}\\u{202e}gpj" in text or "\u202e" not in value


def test_without_a_vault_there_is_nothing_to_ask(context: ApiContext, sign_in: Callable[..., Visitor]) -> None:
    with Visitor(create_app(context, router), base_url="http://localhost", cookies=sign_in(Role.ADMIN).cookies) as plain:
        assert plain.get(ASK).status_code == 404
