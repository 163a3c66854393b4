"""Objectives on the overview."""

from collections.abc import Callable

import msgspec
import pytest
from playwright.sync_api import expect

from holdfast.access.roles import Role
from holdfast.api.application import create_app
from holdfast.api.context import COOKIE, ApiContext
from holdfast.console.router import router
from tests.api.promises import with_objectives
from tests.console.browser import browser, served
from tests.console.conftest import ADMIN, PASSWORD, Visitor
from tests.report.conftest import MINUTE, START

LAST = START + 7 * MINUTE


@pytest.fixture
def context(context: ApiContext) -> ApiContext:
    return with_objectives(context, LAST)


def test_each_is_shown_with_its_promise_what_is_left_and_how_fast_it_burns(viewer: Visitor) -> None:
    text = viewer.get("/").text
    for told in (
        "error in at most 2 % of calls, 30 d",
        "latency from 8.0 s in at most 10 % of calls, 30 d",
        "shop[route=/chat]",
        "burning",
        "no calls yet",
        "spent",
        "used up",
        "40 %",
        "-25 %",
        "×20",
        "14 h",
        "for ever",
        "3 min ago",
        "/charts?service=shop&amp;metric=error",
    ):
        assert told in text, told


def test_who_may_see_one_application_sees_its_objectives_only(sign_in: Callable[..., Visitor]) -> None:
    text = sign_in(Role.VIEWER, "bank").get("/").text
    assert "banking" in text
    assert "shop[route=/chat]" not in text


def test_in_a_browser_they_fit_a_desk_and_a_phone(context: ApiContext) -> None:
    context.access.add_user(ADMIN, "vera", PASSWORD, {"*": "viewer"})
    cookie = context.access.log_in("vera", PASSWORD, "192.0.2.2")
    with served(create_app(context, router)) as url, browser() as chrome:
        visitor = chrome.new_context()
        visitor.add_cookies([{"name": COOKIE, "value": cookie, "url": url}])
        page = visitor.new_page()
        for width in (1400, 400):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(url)
            panel = page.get_by_role("region", name="Objectives")
            expect(panel.get_by_role("row")).to_have_count(5)
            expect(panel.get_by_text("burning", exact=True)).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        panel.get_by_role("link", name="banking").click()
        expect(page.get_by_role("heading", name="Metrics")).to_be_visible()


def test_without_objectives_nothing_is_said_of_them(viewer: Visitor, context: ApiContext) -> None:
    assert "Objectives" in viewer.get("/").text
    bare = Visitor(create_app(msgspec.structs.replace(context, objectives=()), router), base_url="http://localhost")
    bare.cookies = viewer.cookies
    assert "Objectives" not in bare.get("/").text
