"""Users, tokens and one's own password."""

import re

import pytest

from holdfast.api.context import ApiContext
from tests.console.conftest import PASSWORD, Visitor


def test_an_administrator_adds_changes_and_disables_an_account(admin: Visitor, context: ApiContext) -> None:
    admin.submit("/settings", "/settings/users", name="bob", password=PASSWORD, application="shop", role="responder")
    bob = context.access.accounts.user("bob")
    assert bob is not None
    assert bob.grants == {"shop": "responder"}
    admin.submit("/settings", "/settings/users/bob", grants="shop viewer\nbank of x approver", disabled="yes")
    bob = context.access.accounts.user("bob")
    assert bob is not None
    assert (bob.grants, bob.disabled) == ({"shop": "viewer", "bank of x": "approver"}, True)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/settings/users", {"name": "bob", "password": "short", "application": "*", "role": "viewer"}),
        ("/settings/users", {"name": "bob", "password": PASSWORD, "application": "*", "role": "king"}),
        ("/settings/users/admin-all", {"grants": "viewer"}),
        ("/settings/tokens", {"name": "t", "application": "*", "role": "viewer", "days": "many"}),
        ("/settings/tokens", {"name": "t", "application": "*", "role": "viewer", "days": "1", "scopes": "all"}),
    ],
    ids=["password", "role", "grants", "days", "scopes"],
)
def test_what_makes_no_sense_is_refused(admin: Visitor, path: str, fields: dict[str, str]) -> None:
    assert admin.submit("/settings", path, **fields).status_code == 422


def test_the_last_administrator_cannot_go(admin: Visitor) -> None:
    assert admin.submit("/settings", "/settings/users/admin-all", grants="* viewer").status_code == 409


def test_a_token_is_shown_once_works_and_is_revoked(admin: Visitor) -> None:
    text = admin.submit(
        "/settings", "/settings/tokens", name="ci", application="shop", role="viewer", days="1", scopes="read:*"
    ).text
    secret = re.findall(r"<code>(hf_[\w-]+)</code>", text)[0]
    assert secret not in admin.get("/settings").text
    program = {"Authorization": f"Bearer {secret}"}
    admin.cookies.clear()
    assert admin.get("/api/v1/incidents", headers=program).status_code == 200


def test_a_revoked_token_is_worth_nothing(admin: Visitor) -> None:
    text = admin.submit("/settings", "/settings/tokens", name="ci", application="*", role="viewer", days="1").text
    secret, token = re.findall(r"<code>(hf_[\w-]+)</code>", text)[0], re.findall(r"tok_\w+", text)[0]
    assert admin.submit("/settings", f"/settings/tokens/{token}/revoke").status_code == 303
    assert admin.get("/api/v1/incidents", headers={"Authorization": f"Bearer {secret}"}).status_code == 401


def test_everybody_sets_their_own_password_and_signs_in_again(viewer: Visitor) -> None:
    answer = viewer.submit("/settings", "/settings/password", password="another long password")
    assert answer.headers["location"] == "/login"
    assert viewer.get("/settings", follow_redirects=False).headers["location"].startswith("/login")


@pytest.mark.parametrize(
    "path", ["/settings/users", "/settings/tokens", "/settings/users/admin-all", "/settings/tokens/tok_1/revoke"]
)
def test_nobody_else_manages(responder: Visitor, path: str) -> None:
    fields = {"name": "x", "password": PASSWORD, "application": "*", "role": "admin", "days": "1", "grants": "* viewer"}
    assert responder.submit("/settings", path, **fields).status_code == 403
    assert "API tokens" not in responder.get("/settings").text


def test_dashboard_and_alert_rules_are_downloads_for_everybody_who_is_signed_in(viewer: Visitor, visitor: Visitor) -> None:
    for kind in ("grafana", "prometheus"):
        assert f'href="/settings/monitoring/{kind}"' in viewer.get("/settings").text
        assert "attachment" in viewer.get(f"/settings/monitoring/{kind}").headers["content-disposition"]
        assert visitor.get(f"/settings/monitoring/{kind}", follow_redirects=False).status_code == 303
    assert viewer.get("/settings/monitoring/nagios").status_code == 422
