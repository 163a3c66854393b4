"""A reveal in a real browser: asked over the trace, shown as text, gone after a minute."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, expect

from holdfast.access.access import Access, AccessPolicy
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.api.revealing import Revealing
from holdfast.console.router import router
from holdfast.core.call import Message
from holdfast.telemetry.store import TelemetryStore
from tests.api.vaults import PSEUDONYM, filled, mentioning
from tests.console.browser import browser, served

HOSTILE = '<img src=x onerror="document.title=1">\u202e@example.com'
SHOWN = '<img src=x onerror="document.title=1">\\u{202e}@example.com'
TRACE = f"{900:032x}"


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def site(tmp_path: Path, context: ApiContext, telemetry: TelemetryStore) -> Iterator[str]:
    telemetry.append([mentioning(900, input_messages=(Message(role="user", content=f"write to <{PSEUDONYM}>"),))])
    access = Access(context.ledger.accounts, context.clock, AccessPolicy(demo=True))
    with filled(tmp_path, context.clock, HOSTILE) as vault:
        revealing = Revealing(vault, access, context.clock)
        with served(create_app(msgspec.structs.replace(context, access=access, revealing=revealing), router)) as url:
            yield url


def test_an_original_is_shown_over_its_trace_as_text_and_goes_after_a_minute(chrome: Browser, site: str) -> None:
    page = chrome.new_context(base_url=site).new_page()
    page.set_default_timeout(30_000)
    page.clock.install()
    page.goto(f"/traces/{TRACE}")
    page.get_by_role("link", name="Reveal…").click()
    dialog = page.locator("dialog#asked")
    dialog.get_by_label("Why").fill("customer asked what leaked")
    dialog.get_by_role("button", name="Reveal").click()
    original = dialog.locator("[data-original]")
    expect(original).to_have_text(SHOWN)
    assert original.locator("*").count() == 0
    assert dialog.locator("img").count() == 0
    assert page.url.endswith(f"/traces/{TRACE}")
    page.clock.fast_forward(59_000)
    expect(original).to_be_visible()
    page.clock.fast_forward(2_000)
    expect(dialog).not_to_be_visible()
    assert "example.com" not in page.content()


def test_a_reason_that_says_nothing_shows_why_and_no_value(chrome: Browser, site: str) -> None:
    page = chrome.new_context(base_url=site).new_page()
    page.set_default_timeout(30_000)
    page.goto(f"/traces/{TRACE}")
    page.get_by_role("link", name="Reveal…").click()
    dialog = page.locator("dialog#asked")
    dialog.get_by_label("Why").fill("because")
    dialog.get_by_role("button", name="Reveal").click()
    expect(dialog).to_contain_text("say in 3 words or more")
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    assert "example.com" not in page.content()
