"""The console in a real browser: the story of an incident, two people at once, keys, themes, widths, and hostile text."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect

from holdfast.access.access import Access
from holdfast.api.context import ApiContext
from holdfast.core.call import Call, Kind, Message
from holdfast.core.events import IncidentOpened, Recorded
from holdfast.core.incident import Severity
from holdfast.core.trace import Trace
from holdfast.score.registry import SCORERS
from holdfast.score.run import Scoring
from tests.console.browser import browser, served
from tests.console.conftest import ADMIN, PASSWORD
from tests.report.conftest import MINUTE, START, signal

PAGES = (
    "/",
    "/incidents",
    "/incidents/inc_1",
    "/calls",
    f"/traces/{1:032x}",
    "/charts",
    "/changes",
    "/control",
    "/drills",
    "/audit",
    "/settings",
)
SHOTS = os.environ.get("HOLDFAST_SCREENSHOTS", "")
"""Folder that pictures of the run are kept in; empty keeps none."""
HOSTILE = (
    '<script>document.title="owned"</script><img src=x onerror="document.title=\'owned\'"><a href="javascript:alert(1)">x</a>'
)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def site(app: FastAPI, context: ApiContext) -> Iterator[str]:
    for name, role in (("ada", "admin"), ("bob", "approver")):
        context.access.add_user(ADMIN, name, PASSWORD, {"*": role})
    with served(app) as url:
        yield url


def opened(chrome: Browser, site: str, name: str = "ada", width: int = 1400, scheme: str = "light") -> Page:
    """A browser of its own in which somebody is signed in. Anything that the browser complains about fails the test."""
    context: BrowserContext = chrome.new_context(
        base_url=site,
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.on("pageerror", lambda error: pytest.fail(f"script failed: {error}"))
    page.goto("/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    return page


def keep(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


def test_an_incident_from_its_alarm_to_its_post_mortem_seen_by_two(chrome: Browser, site: str, context: ApiContext) -> None:
    ada, bob = opened(chrome, site, "ada"), opened(chrome, site, "bob")
    expect(ada.locator(".live.on")).to_be_visible()
    event = IncidentOpened(
        service="shop",
        title="Refusals tripled",
        severity=Severity.SEV1,
        started_ns=START,
        detected_ns=START + 5 * MINUTE,
        signal=signal(),
    )
    context.ledger.append([Recorded(incident_id="inc_live", time_ns=START + 5 * MINUTE, actor="correlate", event=event)])
    # It appears by itself, is opened and acknowledged; the other browser sees that without a reload.
    ada.get_by_role("link", name="Refusals tripled").click()
    bob.goto("/incidents/inc_live")
    expect(bob.locator(".live.on")).to_be_visible()
    ada.get_by_role("button", name="Acknowledge").click()
    expect(bob.get_by_role("button", name="Acknowledge")).to_have_count(0)
    expect(bob.locator("[data-region=timeline]")).to_contain_text("ada acknowledged it")
    # An example call, a containment, and the end.
    ada.goto(f"/traces/{1:032x}")
    expect(ada.get_by_text("Where is my order?").first).to_be_visible()
    bob.goto("/control?incident=inc_live")
    bob.get_by_label("Action").select_option("quarantine_source")
    bob.get_by_label("Scope").fill("service.name=shop")
    bob.get_by_label("Arguments").fill("source=orders")
    bob.locator("details.do[open]").get_by_label("Why").fill("wrong answers")
    bob.get_by_role("button", name="Apply").click()
    expect(bob.locator("[data-region=contain]")).to_contain_text("quarantine source")
    bob.locator("summary", has_text="Resolve").click()
    bob.get_by_label("How the cause was removed").fill("the prompt was rolled back")
    bob.get_by_role("button", name="Resolve").click()
    expect(bob.locator(".head .chip.resolved")).to_be_visible()
    keep(bob, "story-resolved")
    with bob.expect_download() as download:
        bob.get_by_role("link", name="Post-mortem", exact=True).click()
    text = Path(download.value.path()).read_text()
    assert "# Post-mortem: Refusals tripled" in text
    assert "the prompt was rolled back" in text


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
def test_every_page_fits_its_width_and_obeys_its_policy(chrome: Browser, site: str, width: int, scheme: str) -> None:
    page = opened(chrome, site, width=width, scheme=scheme)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    for path in PAGES:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        assert contrast(page) >= 4.5, path
        keep(page, f"{path.strip('/').replace('/', '-') or 'overview'}-{width}-{scheme}")
    assert complaints == []


def contrast(page: Page) -> float:
    """The lowest contrast of muted, normal and accent text on panel and ground (WCAG 2.2, relative luminance)."""
    found: float = page.evaluate(
        """() => {
          const style = getComputedStyle(document.documentElement);
          const light = (name) => {
            const hex = style.getPropertyValue(name).trim().slice(1);
            const part = (i) => {
            const v = parseInt(hex.slice(i, i + 2), 16) / 255;
            return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
          };
            return 0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4);
          };
          const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
          const pairs = [];
          for (const ground of ["--ground", "--surface", "--soft"])
            for (const text of ["--text", "--muted", "--accent"]) pairs.push([text, ground]);
          for (const name of ["--bad", "--warn", "--good"]) pairs.push([name, `${name}-soft`], [name, "--surface"]);
          for (const heat of ["--heat1", "--heat2", "--heat3", "--heat4"]) pairs.push(["--text", heat]);
          pairs.push(["--on-accent", "--accent"], ["--surface", "--bad"]);
          return Math.min(...pairs.map(([a, b]) => ratio(a, b)));
        }"""
    )
    return found


def test_the_keyboard_is_enough(chrome: Browser, site: str, context: ApiContext) -> None:
    page = opened(chrome, site)
    expect(page.locator(".live.on")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("i")
    expect(page.get_by_role("heading", name="Incidents")).to_be_visible()
    expect(page.locator(".live.on")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Hallucination rose")).to_be_visible()
    expect(page.locator(".live.on")).to_be_visible()
    page.keyboard.press("n")
    page.keyboard.type("looking at it")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[data-region=timeline]")).to_contain_text("looking at it")
    expect(page.locator(".live.on")).to_be_visible()
    page.keyboard.press("a")
    expect(page.locator("[data-region=timeline]")).to_contain_text("ada acknowledged it")
    expect(page.locator(".live.on")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_hostile_text_runs_nowhere_not_even_after_a_live_update(chrome: Browser, site: str, context: ApiContext) -> None:
    call = Call(
        trace_id=f"{900:032x}",
        span_id=f"{900:016x}",
        name=HOSTILE,
        kind=Kind.LLM,
        start_ns=START + 9 * MINUTE,
        end_ns=START + 9 * MINUTE + 50,
        dimensions={"service.name": ("shop",), "route": (HOSTILE,)},
        input_messages=(Message(role="user", content=HOSTILE),),
        output_messages=(Message(role="assistant", content=HOSTILE),),
    )
    context.telemetry.append(Scoring(SCORERS).score([Trace(call.trace_id, (call,))]))
    page = opened(chrome, site)
    page.goto("/incidents")
    expect(page.locator(".live.on")).to_be_visible()
    event = IncidentOpened(service="shop", title=HOSTILE, severity=Severity.SEV2, started_ns=START, detected_ns=START + MINUTE)
    context.ledger.append([Recorded(incident_id="inc_x", time_ns=START + MINUTE, actor=HOSTILE, event=event)])
    expect(page.get_by_role("link", name="document.title")).to_be_visible()
    for path in ("/incidents", "/incidents/inc_x", "/calls?text=owned", f"/traces/{call.trace_id}"):
        page.goto(path)
        assert "owned" not in page.title() or page.title().startswith("SEV2 <script>"), path
        assert page.locator('img, a[href^="javascript"], main script').count() == 0, path


def test_who_has_not_signed_in_makes_the_first_account_with_the_link(chrome: Browser, app: FastAPI, context: ApiContext) -> None:
    access: Access = context.access
    with served(app) as url:
        page = chrome.new_context(base_url=url).new_page()
        page.goto(f"/setup#{access.open_setup()}")
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password, 12").fill(PASSWORD)
        page.get_by_label("Password again").fill(PASSWORD)
        page.get_by_role("button", name="Make the account").click()
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        assert "#" not in page.url
