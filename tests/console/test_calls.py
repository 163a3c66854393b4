"""Calls: what was said is shown as text, never as anything else."""

from collections.abc import Callable

import msgspec
import pytest

from holdfast.access.access import Access, AccessPolicy
from holdfast.access.roles import Role
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.console.router import router
from holdfast.core.call import Call, Document, Kind, Message
from holdfast.core.trace import Trace
from holdfast.score.registry import SCORERS
from holdfast.score.run import Scoring
from holdfast.telemetry.search import CallQuery, Hits
from holdfast.telemetry.store import TelemetryStore
from tests.console.conftest import Visitor
from tests.report.conftest import MINUTE, START

TRACE = f"/traces/{1:032x}"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "[click](javascript:alert(1))",
    "</textarea><svg onload=alert(1)>",
    "{{ 7 * 7 }} {% include 'x' %}",
    "https://evil.example/?q=<token>",
)


def test_the_newest_calls_are_listed_with_what_was_asked_and_answered(viewer: Visitor) -> None:
    text = viewer.get("/calls").text
    assert "Where is my order?" in text
    assert "within three days" in text


def test_a_text_is_found_whatever_its_case(viewer: Visitor) -> None:
    assert TRACE in viewer.get("/calls?text=WHERE+IS").text
    assert "No call is like that." in viewer.get("/calls?text=elephant").text


@pytest.mark.parametrize(
    "query", ["kind=nonsense", "where=route", "where=colour%3Dred", "score_from=many", "score_from=-1", "since=now"]
)
def test_a_filter_that_makes_no_sense_is_an_error_page(viewer: Visitor, query: str) -> None:
    assert viewer.get(f"/calls?{query}").status_code == 422


def test_a_trace_shows_messages_and_every_score_with_its_reason(viewer: Visitor) -> None:
    text = viewer.get(TRACE).text
    for told in ("Where is my order?", "within three days", "refusal", "Scorer"):
        assert told in text


def test_a_trace_that_is_not_there_says_why_it_may_be_gone(viewer: Visitor) -> None:
    answer = viewer.get(f"/traces/{'f' * 32}")
    assert answer.status_code == 404
    assert "retention_days" in answer.text


def test_who_may_not_see_the_application_finds_nothing(sign_in: Callable[..., Visitor]) -> None:
    stranger = sign_in(Role.ADMIN, "bank")
    assert stranger.get(TRACE).status_code == 404
    assert "Where is my order?" not in stranger.get("/calls").text


def test_a_score_is_labelled_by_a_responder_only(responder: Visitor, viewer: Visitor, context: ApiContext) -> None:
    fields = {"span": f"{1:016x}", "metric": "refusal", "failed": "no"}
    assert viewer.submit("/", f"{TRACE}/label", **fields).status_code == 403
    assert responder.submit(TRACE, f"{TRACE}/label", **fields).status_code == 303
    assert "fine, user:responder-all" in responder.get(TRACE).text
    assert responder.submit(TRACE, f"{TRACE}/label", span=f"{1:016x}", metric="refusal", failed="maybe").status_code == 422


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_shown_as_it_came_and_is_nothing_but_text(viewer: Visitor, context: ApiContext, hostile: str) -> None:
    number = 500 + HOSTILE.index(hostile)
    call = Call(
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        name=hostile,
        kind=Kind.LLM,
        start_ns=START + 8 * MINUTE,
        end_ns=START + 8 * MINUTE + 5,
        dimensions={"service.name": ("shop",), "route": (hostile,)},
        input_messages=(Message(role=hostile, content=hostile), Message(role="user", content=hostile)),
        output_messages=(Message(role="assistant", content=hostile),),
        documents=(Document(content=hostile, source=hostile),),
        error_message=hostile,
    )
    context.telemetry.append(Scoring(SCORERS).score([Trace(call.trace_id, (call,))]))
    for path in (f"/traces/{call.trace_id}", "/calls?limit=200"):
        text = viewer.get(path).text
        for tag in ("<img", "<svg onload", "alert(1)</script>", 'href="javascript', 'href="https://evil', "49 "):
            assert tag not in text.replace("&lt;", "")


class InAHurry(TelemetryStore):
    """A store in which a search finds nothing in its time."""

    def __init__(self, other: TelemetryStore) -> None:
        vars(self).update(vars(other))

    def search(self, query: CallQuery) -> Hits:
        assert query.budget_s is not None
        return Hits((), f"{START}..", START)


def test_a_search_that_ran_out_of_time_says_how_far_it_came_and_leads_on(context: ApiContext) -> None:
    demo = Access(context.ledger.accounts, context.clock, AccessPolicy(demo=True))
    hurried = msgspec.structs.replace(context, telemetry=InAHurry(context.telemetry), access=demo)
    with Visitor(create_app(hurried, router), base_url="http://localhost") as visitor:
        text = visitor.get("/calls?text=rare").text
    assert "None since 2023-11-14 22:13:20 UTC." in text
    assert f'href="/calls?text=rare&amp;cursor={START}.."' in text
    assert "No call is like that." not in text
