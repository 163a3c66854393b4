"""What all pages have in common."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from holdfast.access.access import Access, AccessPolicy
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.console.router import router
from tests.api.conftest import CHEAP
from tests.console.conftest import Visitor

PAGES = ("/", "/incidents", "/incidents/inc_1", "/calls", "/charts", "/changes", "/control", "/audit", "/settings")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there_for_an_administrator(admin: Visitor, path: str) -> None:
    answer = admin.get(path)
    assert answer.status_code == 200
    assert "<h1>" in answer.text
    assert 'aria-current="page"' in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_no_page_holds_a_script_or_style_of_its_own(admin: Visitor, path: str) -> None:
    text = admin.get(path).text
    assert text.count("<script") == 1
    assert "style=" not in text
    assert "<style" not in text
    assert "onclick" not in text


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_a_page_without_signing_in(admin: Visitor, visitor: Visitor, path: str) -> None:
    assert visitor.get(path, follow_redirects=False).headers["location"].startswith("/login")


def test_a_page_that_is_not_there_says_where_to_go(admin: Visitor) -> None:
    answer = admin.get("/incidents/inc_nope")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "To the overview" in answer.text


@pytest.mark.parametrize("theme", ["light", "dark", "auto", "<script>"])
def test_the_theme_is_remembered_and_nothing_else_is(admin: Visitor, theme: str) -> None:
    admin.cookies.set("holdfast_theme", theme)
    shown = theme if theme in ("light", "dark") else "auto"
    assert f'data-theme="{shown}"' in admin.get("/").text


def test_a_demonstration_says_so_in_red_and_needs_no_sign_in(admin: Visitor, context: ApiContext) -> None:
    assert "Demo mode" not in admin.get("/").text
    demo = Access(context.ledger.accounts, context.clock, AccessPolicy(demo=True), passwords=CHEAP)
    with Visitor(create_app(msgspec.structs.replace(context, access=demo), router), base_url="http://127.0.0.1") as anybody:
        assert 'class="demo"' in anybody.get("/").text


def test_a_store_that_fails_is_told_without_its_address(admin: Visitor, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection:
        connection.execute("ALTER TABLE incidents RENAME TO elsewhere")
    answer = admin.get("/incidents")
    assert answer.status_code == 503
    assert "ledger" not in answer.text.lower()
