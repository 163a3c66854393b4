"""Single sign-on through the pages, against a provider that really signs; and once in a real browser."""

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from playwright.sync_api import expect

from holdfast.access.oidc import SIGN_ON_BACK, Person, SignOn, SignOnPolicy
from holdfast.access.roles import Role
from holdfast.api.application import create_app
from holdfast.api.context import COOKIE, ApiContext
from holdfast.console.router import router
from holdfast.core.errors import StoreError
from holdfast.testing.server import free_ports
from holdfast.testing.sign_on import SignOnProvider, sign_on_provider
from tests.console.browser import browser, served
from tests.console.conftest import ADMIN, PASSWORD, Visitor

HERE = "http://localhost"
GROUPS = {"oncall": {"shop": Role.RESPONDER}, "leads": {"*": Role.APPROVER}}


@pytest.fixture
def provider(context: ApiContext) -> Iterator[SignOnProvider]:
    with sign_on_provider(context.clock) as found:
        yield found


def with_sign_on(context: ApiContext, provider: SignOnProvider, base: str = HERE, issuer: str = "") -> ApiContext:
    policy = SignOnPolicy(
        issuer=issuer or provider.issuer,
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        redirect_uri=base + SIGN_ON_BACK,
        label="the company",
        groups=GROUPS,
    )
    return msgspec.structs.replace(context, sign_on=SignOn(policy, context.clock))


@pytest.fixture
def person(context: ApiContext, provider: SignOnProvider) -> Iterator[Visitor]:
    """A browser of somebody who has an account at the provider only."""
    context.access.add_user(ADMIN, "root", PASSWORD, {"*": "admin"})
    with Visitor(create_app(with_sign_on(context, provider), router), base_url=HERE) as found:
        yield found


def sent_back(begun: Any) -> str:
    """Where the provider sends the browser."""
    answer = httpx.get(begun.headers["location"], follow_redirects=False)
    return answer.headers["location"].removeprefix(HERE)


def signed_on(person: Visitor, wanted: str = "/") -> Any:
    begun = person.get("/login/oidc", params={"next": wanted}, follow_redirects=False)
    assert begun.status_code == 303, begun.text
    return person.get(sent_back(begun), follow_redirects=False)


def test_whom_the_provider_vouches_for_is_signed_in_where_they_wanted_to_be(person: Visitor, context: ApiContext) -> None:
    answer = signed_on(person, "/incidents?state=open")
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents?state=open")
    user = context.access.accounts.user("eve")
    assert user is not None
    assert user.grants == {"shop": "responder"}
    assert "eve" in person.get("/").text


def test_the_cookie_of_a_sign_on_is_gone_when_it_is_done(person: Visitor) -> None:
    begun = person.get("/login/oidc", follow_redirects=False).headers["set-cookie"].lower()
    for flag in ("httponly", "samesite=lax", "path=/login/oidc", "max-age=600"):
        assert flag in begun
    signed_on(person)
    assert "holdfast_sign_on" not in person.cookies


def test_every_sign_on_is_in_the_audit_with_its_address(person: Visitor, context: ApiContext) -> None:
    signed_on(person)
    acts = [entry.event.type for entry in context.ledger.stream("access").read()]
    assert acts[-2:] == ["UserAdded", "SignedIn"]


def test_roles_follow_the_groups_at_the_next_sign_on(person: Visitor, context: ApiContext, provider: SignOnProvider) -> None:
    signed_on(person)
    provider.person["groups"] = ["leads"]
    signed_on(person)
    user = context.access.accounts.user("eve")
    assert user is not None
    assert user.grants == {"*": "approver"}


def test_a_name_that_is_none_of_ours_becomes_one(person: Visitor, context: ApiContext, provider: SignOnProvider) -> None:
    provider.person["preferred_username"] = "CORP\\Eve Adams <x>"
    assert signed_on(person).status_code == 303
    assert context.access.accounts.user("corp-eve-adams--x") is not None


@pytest.mark.parametrize(
    ("person_says", "claims", "told"),
    [
        ({"groups": ["strangers"]}, {}, "none of your groups has a role here"),
        ({"groups": None}, {}, "none of your groups has a role here"),
        ({}, {"exp": 1}, "token is not good"),
        ({}, {"nonce": "of another"}, "not for this sign-on"),
        ({}, {"iss": "https://evil.example"}, "token is not good"),
        ({}, {"aud": "another"}, "token is not good"),
    ],
    ids=["stranger", "no groups", "expired", "nonce", "issuer", "audience"],
)
def test_who_cannot_come_in_is_told_why_at_the_sign_in(
    person: Visitor, provider: SignOnProvider, person_says: dict[str, Any], claims: dict[str, Any], told: str
) -> None:
    provider.person.update(person_says)
    provider.claims = claims
    answer = signed_on(person)
    assert (answer.status_code, COOKIE in person.cookies) == (401, False)
    assert told in answer.text
    assert "Sign in with the company" in answer.text


def test_the_name_of_a_local_account_is_not_taken_over(person: Visitor, provider: SignOnProvider, context: ApiContext) -> None:
    provider.person.update(preferred_username="root", groups=["leads"])
    answer = signed_on(person)
    assert (answer.status_code, COOKIE in person.cookies) == (409, False)
    root = context.access.accounts.user("root")
    assert root is not None
    assert (root.subject, root.grants) == ("", {"*": "admin"})


def test_a_disabled_account_stays_out(person: Visitor, context: ApiContext) -> None:
    signed_on(person)
    context.access.change_user(ADMIN, "eve", {"shop": "responder"}, disabled=True)
    person.cookies.clear()
    answer = signed_on(person)
    assert (answer.status_code, "disabled" in answer.text) == (401, True)


@pytest.mark.parametrize(
    "query",
    ["state=wrong&code=x", "state=&code=", "", "code=x", f"state={'x' * 5000}&code=x", "state=%F0%9F&code=%00"],
    ids=range(6),
)
def test_an_answer_to_nothing_that_this_browser_began_signs_nobody_in(
    person: Visitor, provider: SignOnProvider, query: str
) -> None:
    for begun in (False, True):
        if begun:
            person.get("/login/oidc", follow_redirects=False)
        answer = person.get(f"{SIGN_ON_BACK}?{query}", follow_redirects=False)
        assert (answer.status_code, COOKIE in person.cookies) == (401, False)
    assert "/token" not in provider.asked


def test_the_answer_to_another_browsers_sign_on_signs_nobody_in(
    person: Visitor, context: ApiContext, provider: SignOnProvider
) -> None:
    begun = person.get("/login/oidc", follow_redirects=False)
    with Visitor(person.app, base_url=HERE) as another:
        another.get("/login/oidc", follow_redirects=False)
        assert another.get(sent_back(begun), follow_redirects=False).status_code == 401
        assert COOKIE not in another.cookies


def test_guessing_answers_is_slowed_down_before_the_provider_is_asked(person: Visitor) -> None:
    statuses = [person.get(f"{SIGN_ON_BACK}?state=x&code=x", follow_redirects=False).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]


@pytest.mark.parametrize("said", ["access_denied", "<script>alert(1)</script>"])
def test_what_the_provider_says_is_told_in_words_of_ours(person: Visitor, said: str) -> None:
    answer = person.get(SIGN_ON_BACK, params={"error": said, "error_description": "<b>call this number"})
    assert answer.status_code == 401
    assert "the provider" in answer.text
    assert "alert(1)" not in answer.text
    assert "number" not in answer.text


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_nobody_is_led_to_another_site_after_it(person: Visitor, place: str) -> None:
    assert signed_on(person, place).headers["location"] == "/"


def test_a_provider_that_is_away_leaves_passwords_working(context: ApiContext, provider: SignOnProvider) -> None:
    context.access.add_user(ADMIN, "ada", PASSWORD, {"*": "viewer"})
    (port,) = free_ports(1)
    away = with_sign_on(context, provider, issuer=f"http://127.0.0.1:{port}")
    with Visitor(create_app(away, router), base_url=HERE) as visitor:
        answer = visitor.get("/login/oidc", follow_redirects=False)
        assert (answer.status_code, "does not answer" in answer.text) == (502, True)
        assert visitor.post("/login", data={"name": "ada", "password": PASSWORD}, follow_redirects=False).status_code == 303


class Unlucky(SignOn):
    """Comes back while a store of ours does not answer."""

    def finish(self, cookie: str, state: str, code: str) -> Person:
        raise StoreError("no space left below /srv/holdfast")


def test_what_a_store_says_is_not_told_to_who_is_not_signed_in(context: ApiContext, provider: SignOnProvider) -> None:
    found = with_sign_on(context, provider)
    assert found.sign_on is not None
    broken = msgspec.structs.replace(found, sign_on=Unlucky(found.sign_on.policy, context.clock))
    with Visitor(create_app(broken, router), base_url=HERE) as visitor:
        answer = visitor.get(f"{SIGN_ON_BACK}?state=x&code=x", follow_redirects=False)
    assert (answer.status_code, "/srv/holdfast" in answer.text) == (503, False)


def test_a_long_address_is_not_kept_where_a_browser_would_drop_the_cookie(person: Visitor) -> None:
    begun = person.get("/login/oidc", params={"next": "/" + "中" * 999}, follow_redirects=False)
    assert len(begun.headers["set-cookie"]) < 4096
    assert person.get(sent_back(begun), follow_redirects=False).headers["location"] == "/"


def test_where_there_is_no_provider_there_is_no_button(visitor: Visitor, context: ApiContext) -> None:
    context.access.add_user(ADMIN, "ada", PASSWORD, {"*": "viewer"})
    assert "Sign in with" not in visitor.get("/login").text
    for path in ("/login/oidc", SIGN_ON_BACK):
        assert visitor.get(path).status_code == 404


def test_who_is_known_to_the_provider_needs_no_set_up_link(context: ApiContext, provider: SignOnProvider) -> None:
    with Visitor(create_app(with_sign_on(context, provider), router), base_url=HERE) as visitor:
        assert "Sign in with the company" in visitor.get("/").text
        assert signed_on(visitor).status_code == 303


def test_in_a_real_browser_one_click_signs_in_and_leads_on(context: ApiContext, provider: SignOnProvider) -> None:
    context.access.add_user(ADMIN, "root", PASSWORD, {"*": "admin"})
    (port,) = free_ports(1)
    app = create_app(with_sign_on(context, provider, base=f"http://127.0.0.1:{port}"), router)
    with served(app, port) as url, browser() as chrome:
        page = chrome.new_context(base_url=url).new_page()
        page.goto("/incidents?state=open")
        page.get_by_role("link", name="Sign in with the company").click()
        expect(page.get_by_role("heading", name="Incidents")).to_be_visible()
        assert page.url == f"{url}/incidents?state=open"
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_who_begins_sign_ons_too_often_is_asked_to_wait(person: Visitor, context: ApiContext) -> None:
    answers = [person.get("/login/oidc", follow_redirects=False).status_code for _ in range(60)]
    assert answers[0] == 303
    assert answers[-1] == 429


def test_an_address_whose_sign_ons_fail_cannot_begin_another_for_a_while(person: Visitor) -> None:
    for _ in range(20):
        person.get(SIGN_ON_BACK, params={"state": "guessed", "code": "guessed"})
    answer = person.get("/login/oidc", follow_redirects=False)
    assert (answer.status_code, "wait" in answer.text) == (429, True)


def test_where_nobody_administers_the_sign_in_stays_open_and_so_does_the_set_up(
    context: ApiContext, provider: SignOnProvider
) -> None:
    with Visitor(create_app(with_sign_on(context, provider), router), base_url=HERE) as found:
        signed_on(found)
        assert found.get("/setup").status_code == 200
        found.cookies.clear()
        assert "/login" in found.get("/", follow_redirects=False).headers["location"]
