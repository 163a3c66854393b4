"""`POST /api/v1/reveals` and `/erasures`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from holdfast.access.access import TokenOrder
from holdfast.access.roles import EVERYWHERE, Identity, Role
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.api.revealing import Revealing
from holdfast.testing.clock import FakeClock
from holdfast.vault.store import Vault
from holdfast.vault.tables import ORIGINALS
from tests.api.vaults import PSEUDONYM, VALUE, filled, original

BODY = {"application": "shop", "pseudonym": PSEUDONYM, "reason": "customer asked what leaked"}
ADMIN = Identity(actor="user:root", grants={EVERYWHERE: Role.ADMIN})
As = Callable[..., TestClient]


@pytest.fixture
def vault(tmp_path: Path, context: ApiContext) -> Iterator[Vault]:
    with filled(tmp_path, context.clock) as opened:
        yield opened


@pytest.fixture
def as_token(context: ApiContext, vault: Vault) -> Iterator[As]:
    """A client with a token of a role on an application, limited to scopes."""
    sealed = msgspec.structs.replace(context, revealing=Revealing(vault, context.access, context.clock))
    app, opened = create_app(sealed), list[TestClient]()

    def client(
        role: Role, application: str = EVERYWHERE, scopes: tuple[str, ...] = ("write:reveals", "write:erasures")
    ) -> TestClient:
        order = TokenOrder(name=f"t{len(opened)}", grants={application: role.value}, scopes=scopes)
        secret = context.access.issue_token(ADMIN, order).secret
        opened.append(TestClient(app, headers={"Authorization": f"Bearer {secret}"}))
        return opened[-1]

    yield client
    for one in opened:
        one.close()


def changed(**fields: Any) -> dict[str, Any]:
    return {**BODY, **fields}


def test_the_original_is_answered_and_kept_by_no_cache(as_token: As) -> None:
    answer = as_token(Role.APPROVER, "shop").post("/api/v1/reveals", json=changed(pseudonym=f"<{PSEUDONYM}>"))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["application"], told["pseudonym"], told["entity"], told["values"]) == (
        "shop",
        PSEUDONYM,
        "EMAIL_ADDRESS",
        [VALUE],
    )
    assert answer.headers["cache-control"] == "no-store"


def test_the_audit_has_who_why_and_for_whom_but_not_the_value(as_token: As, client: TestClient) -> None:
    as_token(Role.APPROVER).post("/api/v1/reveals", json=changed(person="ada"))
    entry = client.get("/api/v1/audit").json()[0]
    assert (entry["act"], entry["actor"], entry["target"], entry["reason"]) == (
        "OriginalRevealed",
        "token:t0/ada",
        PSEUDONYM,
        BODY["reason"],
    )
    assert VALUE not in client.get("/api/v1/audit").text


@pytest.mark.parametrize(
    "scopes", [("write:*",), ("read:reveals",), ("write:calls", "read:*"), ("write:erasures",)], ids=" ".join
)
def test_a_token_needs_the_scope_by_name(as_token: As, scopes: tuple[str, ...]) -> None:
    answer = as_token(Role.ADMIN, scopes=scopes).post("/api/v1/reveals", json=BODY)
    assert answer.status_code == 403
    assert "write:reveals" in answer.json()["detail"]


def test_the_configured_token_does_not_reveal(client: TestClient, as_token: As) -> None:
    assert client.post("/api/v1/reveals", json=BODY).status_code == 403


@pytest.mark.parametrize(
    ("role", "application", "status"),
    [(Role.VIEWER, "shop", 403), (Role.RESPONDER, EVERYWHERE, 403), (Role.ADMIN, "bank", 404), (Role.APPROVER, "shop", 200)],
    ids=["viewer", "responder", "stranger", "approver"],
)
def test_who_may_is_asked_for_each_application(as_token: As, role: Role, application: str, status: int) -> None:
    assert as_token(role, application).post("/api/v1/reveals", json=BODY).status_code == status


def test_what_the_vault_does_not_have_is_a_problem_that_says_why(as_token: As) -> None:
    answer = as_token(Role.APPROVER).post("/api/v1/reveals", json=changed(pseudonym="PHONE_NUMBER:00000000"))
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "never sealed" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        changed(reason="because"),
        changed(reason="joe@example.com asked for it"),
        changed(pseudonym="EMAIL_ADDRESS"),
        changed(pseudonym="x" * 81),
        changed(application=""),
        changed(more=1),
        changed(person="a/b"),
        {"application": "shop"},
        [],
    ],
    ids=range(9),
)
def test_what_is_not_a_question_is_refused(as_token: As, body: Any) -> None:
    assert as_token(Role.ADMIN).post("/api/v1/reveals", json=body).status_code == 422


def test_a_changed_row_is_a_clear_conflict_and_not_a_value(as_token: As, vault: Vault) -> None:
    with vault._database.writing() as connection:
        connection.execute(sa.update(ORIGINALS).values(key_id="00000000"))
    answer = as_token(Role.ADMIN).post("/api/v1/reveals", json=BODY)
    assert answer.status_code == 409
    assert "sealed with key 00000000, which vault.key_file does not have" in answer.json()["detail"]


def test_erased_it_is_not_revealed_any_more(as_token: As) -> None:
    admin = as_token(Role.ADMIN, "shop")
    assert as_token(Role.APPROVER, "shop").post("/api/v1/erasures", json=BODY).status_code == 403
    assert admin.post("/api/v1/erasures", json=BODY).json() == {"application": "shop", "pseudonym": PSEUDONYM, "erased": 1}
    assert admin.post("/api/v1/erasures", json=BODY).status_code == 404
    assert admin.post("/api/v1/reveals", json=BODY).status_code == 404


@pytest.mark.parametrize(
    "value", ["a\x00b\x1b[2J", "\u202egpj.exe", "<script>alert(1)</script>", "x" * 4096, "\ud83d"], ids=range(5)
)
def test_a_hostile_value_is_a_json_string_and_nothing_else(as_token: As, vault: Vault, context: ApiContext, value: str) -> None:
    later = FakeClock(context.clock.now_ns() + 1)
    vault.keep([original(later, value)])
    answer = as_token(Role.APPROVER).post("/api/v1/reveals", json=BODY)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["values"] == [value.replace("\ud83d", "?")]


def test_a_server_without_a_vault_says_how_to_have_one(context: ApiContext) -> None:
    secret = context.access.issue_token(ADMIN, TokenOrder(name="t", grants={"*": "admin"}, scopes=("write:reveals",))).secret
    with TestClient(create_app(context), headers={"Authorization": f"Bearer {secret}"}) as plain:
        answer = plain.post("/api/v1/reveals", json=BODY)
    assert answer.status_code == 404
    assert "applications.NAME.redaction" in answer.json()["detail"]
