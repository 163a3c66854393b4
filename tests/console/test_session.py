"""Set-up, sign-in and sign-out, with forms alone."""

import pytest

from holdfast.api.context import COOKIE, ApiContext
from tests.console.conftest import ADMIN, PASSWORD, Visitor


def test_before_the_first_account_every_page_leads_to_the_set_up(visitor: Visitor) -> None:
    assert visitor.get("/incidents", follow_redirects=False).headers["location"] == "/setup"
    assert visitor.get("/login", follow_redirects=False).headers["location"] == "/setup"


def test_the_set_up_link_makes_an_administrator_who_is_signed_in(visitor: Visitor, context: ApiContext) -> None:
    secret = context.access.open_setup()
    answer = visitor.post("/setup", data={"secret": secret, "name": "ada", "password": PASSWORD, "again": PASSWORD})
    assert answer.status_code == 200
    assert "Overview" in answer.text
    assert context.access.accounts.user("ada") is not None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"secret": "wrong"}, "used up or too old"),
        ({"again": "another password"}, "differ"),
        ({"password": "short", "again": "short"}, "12 to 256"),
        ({"name": "<script>"}, "1 to 64 letters"),
    ],
    ids=["secret", "again", "short", "name"],
)
def test_a_set_up_that_will_not_do_says_why(visitor: Visitor, context: ApiContext, fields: dict[str, str], told: str) -> None:
    form = {"secret": context.access.open_setup(), "name": "ada", "password": PASSWORD, "again": PASSWORD, **fields}
    answer = visitor.post("/setup", data=form)
    assert answer.status_code == 422
    assert told in answer.text
    assert "<script>" not in answer.text.replace('<script src="/static/console.js" defer></script>', "")
    assert context.access.needs_setup()


def test_who_signs_in_comes_where_they_wanted_to(visitor: Visitor, context: ApiContext) -> None:
    context.access.add_user(ADMIN, "ada", PASSWORD, {"*": "viewer"})
    wanted = visitor.get("/incidents?state=open", follow_redirects=False).headers["location"]
    assert wanted == "/login?next=%2Fincidents%3Fstate%3Dopen"
    answer = visitor.post(
        "/login", data={"name": "ada", "password": PASSWORD, "next": "/incidents?state=open"}, follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents?state=open")


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", ""])
def test_nobody_is_led_to_another_site_after_signing_in(visitor: Visitor, context: ApiContext, place: str) -> None:
    context.access.add_user(ADMIN, "ada", PASSWORD, {"*": "viewer"})
    answer = visitor.post("/login", data={"name": "ada", "password": PASSWORD, "next": place}, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_the_cookie_is_for_this_server_and_no_script(visitor: Visitor, context: ApiContext) -> None:
    context.access.add_user(ADMIN, "ada", PASSWORD, {"*": "viewer"})
    answer = visitor.post("/login", data={"name": "ada", "password": PASSWORD}, follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_a_wrong_password_is_told_and_signs_nobody_in(visitor: Visitor, context: ApiContext) -> None:
    context.access.add_user(ADMIN, "ada", PASSWORD, {"*": "viewer"})
    answer = visitor.post("/login", data={"name": "ada", "password": "wrong"})
    assert (answer.status_code, COOKIE in answer.cookies) == (401, False)
    assert "name or password is wrong" in answer.text


def test_guessing_is_slowed_down(visitor: Visitor, context: ApiContext) -> None:
    context.access.add_user(ADMIN, "ada", PASSWORD, {"*": "viewer"})
    statuses = [visitor.post("/login", data={"name": "ada", "password": "wrong"}).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_another_site_cannot_sign_somebody_in(visitor: Visitor, context: ApiContext, headers: dict[str, str]) -> None:
    context.access.add_user(ADMIN, "ada", PASSWORD, {"*": "viewer"})
    answer = visitor.post("/login", data={"name": "ada", "password": PASSWORD}, headers=headers)
    assert answer.status_code in (403, 200)
    assert COOKIE not in visitor.cookies


def test_who_signs_out_is_out(admin: Visitor) -> None:
    assert admin.submit("/", "/logout").status_code == 303
    assert admin.get("/", follow_redirects=False).headers["location"] == "/login"
