"""Users and tokens over HTTP."""

import pytest
from fastapi.testclient import TestClient

PASSWORD = "correct horse battery"


def test_oneself(client: TestClient) -> None:
    assert client.get("/api/v1/me").json() == {"actor": "token:test", "grants": {"*": "admin"}, "scopes": ["write:*"]}


def test_an_account_is_added_changed_and_never_shown_with_its_password(client: TestClient) -> None:
    made = client.post("/api/v1/users", json={"name": "Ada", "password": PASSWORD, "grants": {"shop": "viewer"}})
    assert (made.status_code, made.json()["name"]) == (201, "ada")
    changed = client.put("/api/v1/users/ada", json={"grants": {"shop": "approver"}, "disabled": True})
    assert (changed.json()["grants"], changed.json()["disabled"]) == ({"shop": "approver"}, True)
    assert client.put("/api/v1/users/ada/password", json={"password": "another long password"}).status_code == 204
    assert "argon2" not in client.get("/api/v1/users").text
    assert client.post("/api/v1/users", json={"name": "ada", "password": PASSWORD, "grants": {}}).status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a b", "password": PASSWORD, "grants": {}},
        {"name": "ada", "password": "short", "grants": {}},
        {"name": "ada", "password": PASSWORD, "grants": {"shop": "king"}},
        {"name": "ada", "password": PASSWORD, "grants": {"": "viewer"}},
        {"name": "ada", "password": PASSWORD},
        {"name": "ada", "password": PASSWORD, "grants": {}, "admin": True},
    ],
)
def test_an_account_that_makes_no_sense_is_refused(client: TestClient, body: dict[str, object]) -> None:
    answer = client.post("/api/v1/users", json=body)
    assert answer.status_code == 422
    assert "short" not in answer.text or "password" in answer.text


def test_a_token_works_within_its_scope_until_it_is_revoked(client: TestClient) -> None:
    order = {"name": "ci", "grants": {"shop": "responder"}, "scopes": ["write:incidents"], "lifetime_s": 600}
    made = client.post("/api/v1/tokens", json=order).json()
    program = {"Authorization": f"Bearer {made['secret']}"}
    assert client.post("/api/v1/incidents/inc_1/acknowledge", headers=program).status_code == 200
    refused = client.get("/api/v1/calls", headers=program)
    assert (refused.status_code, refused.json()["detail"]) == (403, "this token lacks the scope read:calls")
    assert made["secret"] not in client.get("/api/v1/tokens").text
    assert client.delete(f"/api/v1/tokens/{made['id']}").status_code == 204
    assert client.get("/api/v1/me", headers=program).status_code == 401
    assert client.delete(f"/api/v1/tokens/{made['id']}").status_code == 404


@pytest.mark.parametrize("changed", [{"lifetime_s": 1}, {"scopes": ["all"]}, {"grants": {"x": "y"}}, {"name": ""}], ids=str)
def test_a_token_that_makes_no_sense_is_refused(client: TestClient, changed: dict[str, object]) -> None:
    assert client.post("/api/v1/tokens", json={"name": "ci", "grants": {}, **changed}).status_code == 422
