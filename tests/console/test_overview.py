"""The first page."""

import threading
from collections.abc import Callable

import pytest

from holdfast.access.roles import Role
from holdfast.api.context import ApiContext
from holdfast.console.overview import Remembered
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import StoreError
from holdfast.core.events import IncidentDeclined, Recorded
from holdfast.detect.budget import BudgetReport, Spent
from tests.console.conftest import Visitor
from tests.report.conftest import MINUTE, START


def test_it_shows_what_is_open_what_alarms_and_which_scorers_ran(viewer: Visitor) -> None:
    text = viewer.get("/").text
    for told in ("Hallucination rose", "refusal", "Nothing is contained.", "0 failing of"):
        assert told in text


def test_it_shows_what_of_the_false_alarm_budget_is_spent_when_that_is_known(viewer: Visitor, context: ApiContext) -> None:
    assert "false alarms a day" not in viewer.get("/").text
    context.progress.budget = BudgetReport(per_day=0.2, spent=Spent(0.03, 0.01), alarms=2, app_streams=5, segment_streams=9)
    context.progress.spent_today = 0.25
    text = viewer.get("/").text
    assert "125 %" in text
    assert "of 0.2 false alarms a day spent" in text


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


def test_while_one_asks_anew_the_others_get_the_old_answer_and_other_questions_do_not_wait() -> None:
    remembered, asking, go_on = Remembered(), threading.Event(), threading.Event()
    remembered.get("slow", 0, lambda: "old")

    def slow() -> str:
        asking.set()
        assert go_on.wait(10)
        return "new"

    later = 11 * NS_PER_S
    asker = threading.Thread(target=lambda: remembered.get("slow", later, slow))
    asker.start()
    assert asking.wait(10)
    assert remembered.get("slow", later, lambda: "nobody else asks") == "old"
    assert remembered.get("other", later, lambda: "at once") == "at once"
    go_on.set()
    asker.join(10)
    assert remembered.get("slow", later, lambda: "nobody asks again") == "new"


def test_who_asks_first_lets_the_others_wait_for_one_answer() -> None:
    remembered, asked = Remembered(), []

    def ask() -> int:
        asked.append(1)
        return len(asked)

    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(remembered.get("a", 0, ask))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (found, asked) == ([1] * 8, [1])


def test_a_question_that_fails_is_asked_again_by_the_next() -> None:
    remembered = Remembered()

    def fails() -> str:
        raise StoreError("no answer")

    with pytest.raises(StoreError):
        remembered.get("a", 0, fails)
    assert remembered.get("a", 0, lambda: "there") == "there"
