"""The first page."""

from collections.abc import Callable

from holdfast.access.roles import Role
from holdfast.api.context import ApiContext
from holdfast.core.events import IncidentDeclined, Recorded
from holdfast.detect.budget import BudgetReport, Spent
from tests.console.conftest import Visitor
from tests.report.conftest import MINUTE, START


def test_it_shows_what_is_open_what_alarms_and_which_scorers_ran(viewer: Visitor) -> None:
    text = viewer.get("/").text
    for told in ("Hallucination rose", "refusal", "Nothing is contained.", "0 failing of"):
        assert told in text


def test_it_shows_what_of_the_false_alarm_budget_is_spent_when_that_is_known(viewer: Visitor, context: ApiContext) -> None:
    assert "false alarms expected" not in viewer.get("/").text
    context.progress.budget = BudgetReport(per_day=0.2, spent=Spent(0.03, 0.01), alarms=2, app_streams=5, segment_streams=9)
    context.progress.spent_today = 0.25
    text = viewer.get("/").text
    assert "0.25" in text
    assert "false alarms expected in 24 h, budget 0.2" in text


def test_when_nothing_is_open_it_says_so(viewer: Visitor, context: ApiContext) -> None:
    decline = IncidentDeclined(reason="a test")
    context.ledger.append([Recorded(incident_id="inc_1", time_ns=START + 5 * MINUTE, actor="user:ada", event=decline)])
    assert "Nothing is open." in viewer.get("/").text


def test_it_shows_applications_that_one_may_see_only(sign_in: Callable[..., Visitor]) -> None:
    text = sign_in(Role.VIEWER, "bank").get("/").text
    assert "shop" not in text
    assert "No calls yet." in text
