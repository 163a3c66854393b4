"""Hundreds of attacks, as applications would send them, in a real browser: shown letter by letter, and nothing but text.

Prompt texts come from ../shared/data/injection where that folder is; each stands in a message, a document, a tool's result and an
error message, wrapped in markup that would run, load, link or frame something if any of it were ever taken for markup.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Dialog, Page, Request

from holdfast.access.access import Access, AccessPolicy
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.console.router import router
from holdfast.console.texts import LONGEST
from holdfast.context.find import find
from holdfast.core.call import Call
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.ingest.record import Record
from holdfast.telemetry.store import TelemetryStore
from tests.console.browser import browser, served
from tests.ingest.receivers import JSON, START_NS, config, records, running

DATA = Path(__file__).parents[2] / ".." / "shared" / "data" / "injection"
TEXTS, A_PAGE = 300, 25
LONGEST_TEXT = 1_500
FIRST_TRACE = 1_000
OWNED = "window.owned = true; document.title = 'owned'; alert('owned')"
CARRIERS = (
    f"<script>{OWNED}</script>{{}}",
    f'"><img src=x onerror="{OWNED}">{{}}',
    f'</div></details></main><svg onload="{OWNED}"></svg>{{}}',
    f'<iframe srcdoc="<script>parent.owned = true</script>"></iframe>{{}}<a href="javascript:{OWNED}">more</a>',
    "![x](https://evil.example/p.png?q=1) [{}](https://evil.example/login) <https://evil.example/>",
    '<link rel="stylesheet" href="https://evil.example/x.css"><style>* {{ display: none }}</style>{}',
    '<form action="https://evil.example/"><input autofocus onfocus="window.owned = true"><button>{}</button></form>',
    '<meta http-equiv="refresh" content="0;url=https://evil.example/"><base href="https://evil.example/">{}',
    '<details open ontoggle="window.owned = true"><summary>{}</summary></details><video src=//evil.example/v autoplay></video>',
    "<!-- {} --><![CDATA[<object data=//evil.example/o></object>]]>&lt;b&gt;&#60;b&#62;",
    "{{{{ 7 * 7 }}}} {{% raw %}} ${{7*7}} <%= 7*7 %> {}",
    '<textarea><noscript><p title="</noscript><img src=x onerror={} onload=window.owned=1>">',
)
"""A text is put in the place of the braces. Each of these does something in some renderer of HTML, Markdown or templates."""

ODD = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const never = "img, iframe, object, embed, video, audio, script, style, link, meta, base, textarea, noscript";
  const ours = (link) => /^[/](calls|traces|incidents)/.test(link.getAttribute("href"));
  return [
    ...all(`main :is(${never})`),
    ...all(".text *:not(.redacted, mark), dd *:not(.redacted, mark)"),
    ...all("main a").filter((link) => !ours(link)),
    ...all("main form").filter((form) => !["/calls", "/traces"].some((path) => form.getAttribute("action").startsWith(path))),
    ...all("*").filter((one) => [...one.attributes].some((attribute) => attribute.name.startsWith("on"))),
  ].map((one) => one.outerHTML.slice(0, 200));
}"""
"""Elements that no template of ours makes, and links and forms to where none of ours leads."""

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data/injection on this machine")


def attacks() -> list[str]:
    """Those with markup or links in them first, then the rest, in the order of the files."""
    found = []
    for path in sorted(DATA.glob("*.jsonl.gz")):
        with gzip.open(path, "rt") as lines:
            found += [str(json.loads(line)["text"]) for line in lines]
    usable = [text for text in dict.fromkeys(found) if len(text) <= LONGEST_TEXT and "\x00" not in text]
    usable.sort(key=lambda text: not any(sign in text for sign in ("<", "](", "http", "{{")))
    wrapped = (CARRIERS[n % len(CARRIERS)].format(text) for n, text in enumerate(usable))
    return [text for text in wrapped if not find(text)][:TEXTS]


def attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def step(number: int, trace: int, kind: str, attributes: dict[str, str], error: str = "") -> dict[str, Any]:
    started = START_NS + number * 1_000
    return {
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        "name": kind.lower(),
        "startTimeUnixNano": str(started),
        "endTimeUnixNano": str(started + 500),
        "attributes": [attribute("openinference.span.kind", kind), *(attribute(k, v) for k, v in attributes.items())],
        "status": {"code": 2, "message": error} if error else {},
    }


def steps(text: str, number: int, trace: int) -> list[dict[str, Any]]:
    """One attack in four places."""
    said = {"llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": text}
    said |= {"llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": text}
    return [
        step(3 * number + 1, trace, "LLM", said, error=text),
        step(3 * number + 2, trace, "RETRIEVER", {"retrieval.documents.0.document.content": text}),
        step(3 * number + 3, trace, "TOOL", {"tool.name": "web", "input.value": text, "output.value": text}),
    ]


def received(folder: Path, texts: Sequence[str]) -> list[Record]:
    """What a real receiver keeps of them; a page of them is a trace."""
    with running(config(folder)) as receiver:
        for begin in range(0, len(texts), A_PAGE):
            trace = FIRST_TRACE + begin // A_PAGE
            spans = [one for n, text in enumerate(texts[begin : begin + A_PAGE], begin) for one in steps(text, n, trace)]
            scope = {"resource": {"attributes": [attribute("service.name", "shop")]}, "scopeSpans": [{"spans": spans}]}
            body = json.dumps({"resourceSpans": [scope]}).encode()
            assert receiver.post("/v1/traces", body, JSON).status_code == 200
    return records(config(folder))


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def texts() -> list[str]:
    found = attacks()
    assert len(found) == TEXTS
    return found


@pytest.fixture
def site(tmp_path: Path, context: ApiContext, telemetry: TelemetryStore, texts: list[str]) -> Iterator[str]:
    calls = [record for record in received(tmp_path / "receiver", texts) if isinstance(record, Call)]
    assert len(calls) == 3 * TEXTS
    traces: dict[str, list[Call]] = {}
    for call in calls:
        traces.setdefault(call.trace_id, []).append(call)
    telemetry.append([ScoredTrace(Trace(trace_id, tuple(held)), ()) for trace_id, held in traces.items()])
    anybody = Access(context.ledger.accounts, context.clock, AccessPolicy(demo=True))
    with served(create_app(msgspec.structs.replace(context, access=anybody), router)) as url:
        yield url


class Watched:
    """A page of which every request, dialog and failure of a script is kept."""

    def __init__(self, chrome: Browser, site: str) -> None:
        self.page: Page = chrome.new_context(base_url=site).new_page()
        self.page.set_default_timeout(30_000)
        self.site, self.elsewhere, self.happened = site, list[str](), list[str]()
        self.page.on("request", self._requested)
        self.page.on("dialog", self._asked)
        self.page.on("pageerror", lambda error: self.happened.append(f"script: {error}"))
        self.page.context.on("page", lambda other: self.happened.append(f"window: {other.url}"))

    def _asked(self, dialog: Dialog) -> None:
        self.happened.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _requested(self, request: Request) -> None:
        if not request.url.startswith(f"{self.site}/"):
            self.elsewhere.append(request.url)

    def open(self, path: str) -> None:
        self.page.goto(path, wait_until="load")

    def made_of_text(self) -> list[str]:
        """Elements that no template of ours makes, and links to where none of ours leads."""
        return list(self.page.evaluate(ODD))

    def shown(self) -> list[str]:
        """Every text of the page, as the browser has it."""
        return list(self.page.evaluate("() => [...document.querySelectorAll('.text, dd')].map((e) => e.textContent)"))

    def must_be_calm(self) -> None:
        assert self.happened == []
        assert self.elsewhere == []
        assert self.page.evaluate("() => window.owned === undefined && window.length === 0")
        assert "owned" not in self.page.title()
        assert self.page.url.startswith(self.site)


def as_parsed(text: str) -> str:
    """How a parser of HTML gives a text back: line ends are one character."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def test_every_attack_is_shown_as_it_came_and_nothing_of_it_happens(chrome: Browser, site: str, texts: list[str]) -> None:
    watched = Watched(chrome, site)
    for begin in range(0, TEXTS, A_PAGE):
        watched.open(f"/traces/{FIRST_TRACE + begin // A_PAGE:032x}")
        assert watched.made_of_text() == []
        shown = watched.shown()
        for text in texts[begin : begin + A_PAGE]:
            assert len(text) <= LONGEST
            # Message, answer, error, document, argument and result of the tool.
            assert shown.count(as_parsed(text)) == 6, text
        watched.must_be_calm()


def test_a_list_of_attacks_is_a_list_of_texts(chrome: Browser, site: str) -> None:
    watched = Watched(chrome, site)
    for path in ("/calls?kind=any", "/calls?kind=tool&text=evil.example", "/calls?text=%3Cscript%3Ealert(1)%3C%2Fscript%3E"):
        watched.open(path)
        assert [odd for odd in watched.made_of_text() if "<form" not in odd] == []
        watched.must_be_calm()
