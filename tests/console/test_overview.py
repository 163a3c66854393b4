"""The first page."""

from collections.abc import Callable

from holdfast.access.roles import Role
from holdfast.api.context import ApiContext
from holdfast.console.overview import Remembered
from holdfast.core.events import IncidentDeclined, Recorded
from tests.console.conftest import Visitor
from tests.report.conftest import MINUTE, START


def test_it_shows_what_is_open_what_alarms_and_which_scorers_ran(viewer: Visitor) -> None:
    text = viewer.get("/").text
    for told in ("Hallucination rose", "refusal", "Nothing is contained.", "0 failing of"):
        assert told in text


def test_when_nothing_is_open_it_says_so(viewer: Visitor, context: ApiContext) -> None:
    decline = IncidentDeclined(reason="a test")
    context.ledger.append([Recorded(incident_id="inc_1", time_ns=START + 5 * MINUTE, actor="user:ada", event=decline)])
    assert "Nothing is open." in viewer.get("/").text


def test_it_shows_applications_that_one_may_see_only(sign_in: Callable[..., Visitor]) -> None:
    text = sign_in(Role.VIEWER, "bank").get("/").text
    assert "shop" not in text
    assert "No calls yet." in text


def test_an_answer_is_remembered_for_ten_seconds_per_question() -> None:
    remembered, asked = Remembered(), []
    for key, at in (("a", 0), ("a", 9), ("b", 9), ("a", 11), ("a", 5)):
        remembered.get(key, at * 1_000_000_000, lambda key=key, at=at: asked.append((key, at)))
    assert asked == [("a", 0), ("b", 9), ("a", 11), ("a", 5)]
