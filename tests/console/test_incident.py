"""One incident on one page, and what people do to it."""

from collections.abc import Callable

import msgspec
import pytest

from holdfast.access.roles import Role
from holdfast.api.context import ApiContext
from holdfast.core.events import CommentAdded, DiagnosisMade, Recorded
from tests.console.conftest import Visitor
from tests.report.conftest import ATTACKERS, MINUTE, START, diagnosis

PAGE = "/incidents/inc_1"


def test_it_says_what_broke_who_is_hurt_since_when_and_why(viewer: Visitor) -> None:
    text = viewer.get(PAGE).text
    for told in (
        "Hallucination rose",
        "ungrounded answer",
        "4.0 %",
        "20 %",
        "prompt.version=v2",
        "16 <small>bad answers, 12 users",
    ):
        assert told in text
    assert "prompt engineering" in text
    assert "90 %" in text
    assert "deploy-7" in text


def test_who_attacks_is_listed_and_leads_to_their_calls(viewer: Visitor, context: ApiContext) -> None:
    campaign = msgspec.structs.replace(diagnosis(), cohort={}, attackers=ATTACKERS)
    made = DiagnosisMade(diagnosis=campaign)
    context.ledger.append(
        [Recorded(incident_id="inc_1", time_ns=START + 3 * MINUTE, actor="holdfast", event=made, key="campaign")]
    )
    text = viewer.get(PAGE).text
    assert "Who attacks" in text
    assert "where=user%3Dmallory%7Cx" in text
    assert text.count("<td>new</td>") == 1


def test_what_is_unknown_is_said_to_be_unknown(viewer: Visitor) -> None:
    text = viewer.get(PAGE).text
    assert text.count("not yet") == 3
    assert "nobody" in text


@pytest.mark.parametrize(
    ("verb", "fields", "event"),
    [
        ("acknowledge", {}, "IncidentAcknowledged"),
        ("assign", {"assignee": "bob"}, "IncidentAssigned"),
        ("comment", {"text": "looking"}, "CommentAdded"),
        ("severity", {"severity": "sev1", "priority": "high", "reason": "many users"}, "SeverityChanged"),
        ("mitigate", {"reason": "rolled back"}, "IncidentMitigated"),
        ("resolve", {"reason": "fixed"}, "IncidentResolved"),
        ("decline", {"reason": "a test"}, "IncidentDeclined"),
        ("timestamps", {"field": "started", "time": "2023-11-14T22:13:20Z", "reason": "logs"}, "TimestampCorrected"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_responder_does_is_in_the_ledger_with_their_name(
    responder: Visitor, context: ApiContext, verb: str, fields: dict[str, str], event: str
) -> None:
    assert responder.submit(PAGE, f"{PAGE}/{verb}", **fields).headers["location"] == PAGE
    last = context.ledger.incident("inc_1").timeline[-1]
    assert (last.event, last.actor) == (event, "user:responder-all")
    assert "responder-all" in responder.get(PAGE).text


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("comment", {}),
        ("resolve", {"reason": "  "}),
        ("severity", {"severity": "sev9", "priority": "high", "reason": "x"}),
        ("timestamps", {"field": "started", "time": "yesterday", "reason": "x"}),
        ("explode", {"reason": "x"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_form_that_makes_no_sense_changes_nothing(
    responder: Visitor, context: ApiContext, verb: str, fields: dict[str, str]
) -> None:
    before = context.ledger.incident("inc_1").version
    assert responder.submit(PAGE, f"{PAGE}/{verb}", **fields).status_code == 422
    assert context.ledger.incident("inc_1").version == before


def test_what_was_decided_on_an_older_version_is_refused(responder: Visitor, context: ApiContext) -> None:
    answer = responder.submit(PAGE, f"{PAGE}/resolve", reason="fixed", version="3")
    assert answer.status_code == 412
    assert "somebody else changed it" in answer.text


def test_what_its_state_does_not_allow_is_refused_and_not_offered(responder: Visitor) -> None:
    responder.submit(PAGE, f"{PAGE}/resolve", reason="fixed")
    assert responder.submit(PAGE, f"{PAGE}/decline", reason="x").status_code == 409
    text = responder.get(PAGE).text
    assert "/decline" not in text
    assert f'action="{PAGE}/close"' in text


def test_a_viewer_sees_no_buttons_and_may_press_none(viewer: Visitor, context: ApiContext) -> None:
    assert f'action="{PAGE}' not in viewer.get(PAGE).text
    assert viewer.submit("/", f"{PAGE}/acknowledge").status_code == 403


def test_who_may_not_see_the_application_is_not_told_that_it_exists(sign_in: Callable[..., Visitor]) -> None:
    stranger = sign_in(Role.ADMIN, "bank")
    for path in (PAGE, "/incidents/inc_none"):
        assert stranger.get(path).status_code == 404
    assert "Hallucination" not in stranger.get("/incidents").text


def test_a_comment_is_shown_as_it_was_typed_and_does_nothing(responder: Visitor) -> None:
    responder.submit(PAGE, f"{PAGE}/comment", text="<img src=x onerror=alert(1)> [a](javascript:alert(1))")
    text = responder.get(PAGE).text
    assert "&lt;img src=x onerror=alert(1)&gt; [a](javascript:alert(1))" in text
    assert "<img" not in text


@pytest.mark.parametrize(("kind", "media"), [("md", "text/markdown"), ("html", "text/html"), ("json", "application/json")])
def test_it_can_be_taken_away(viewer: Visitor, kind: str, media: str) -> None:
    answer = viewer.get(f"{PAGE}/export.{kind}")
    assert answer.headers["content-type"].startswith(media)
    assert answer.headers["content-disposition"] == f'attachment; filename="inc_1.{kind}"'


def test_a_long_timeline_keeps_the_latest_in_sight(viewer: Visitor, context: ApiContext) -> None:
    comments = [CommentAdded(text=f"note {n}") for n in range(30)]
    context.ledger.append(
        [Recorded(incident_id="inc_1", time_ns=START + 3 * MINUTE, actor="user:ada", event=event) for event in comments]
    )
    text = viewer.get(PAGE).text
    assert text.index("note 29") < text.index("22 earlier") < text.index("note 3<")
