"""Status: what is going on right now."""

import pytest
from fastapi.testclient import TestClient

from holdfast.access.access import TokenOrder
from holdfast.access.roles import EVERYWHERE, Identity, Role
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.api.status import scorer_state, with_silent
from holdfast.detect.budget import BudgetReport, Spent
from holdfast.score.registry import SCORERS


def test_status_counts_calls_and_names_applications(client: TestClient) -> None:
    found = client.get("/api/v1/status").json()
    assert (found["calls"], found["services"], found["error"]) == (3, ["shop"], "")


def test_coverage_tells_ran_failed_and_skipped_of_each_scorer(client: TestClient) -> None:
    found = client.get("/api/v1/coverage").json()
    assert found
    assert all(counts["ran"] + counts["failed"] + counts["skipped"] == 3 for counts in found.values())


def test_a_scorer_that_ran_on_nothing_is_silent_not_well() -> None:
    ran, failed = {"ran": 3, "failed": 0, "skipped": 1}, {"ran": 3, "failed": 1, "skipped": 0}
    found = with_silent({"refusal": ran, "mine": failed})
    assert [scorer_state(found[name]) for name in ("refusal", "mine", "leak")] == ["running", "failing", "silent"]


def test_every_scorer_is_told_with_what_it_did(client: TestClient) -> None:
    found = {row["name"]: row for row in client.get("/api/v1/scorers").json()}
    assert {scorer.name for scorer in SCORERS} <= set(found)
    assert (found["refusal"]["state"], found["refusal"]["ran"]) == ("running", 3)


def test_the_false_alarm_budget_is_told_once_the_pipeline_runs(client: TestClient, context: ApiContext) -> None:
    assert client.get("/api/v1/status").json()["false_alarm_budget"] is None
    context.progress.budget = BudgetReport(per_day=0.2, spent=Spent(0.03, 0.01), alarms=2, app_streams=5, segment_streams=9)
    context.progress.spent_today = 0.01
    told = client.get("/api/v1/status").json()["false_alarm_budget"]
    assert told == {"per_day": 0.2, "spent_today": 0.01, "spent": pytest.approx(0.04), "alarms": 2}
    assert "holdfast_false_alarms_spent_today 0.01" in client.get("/metrics").text


@pytest.mark.parametrize(("application", "calls"), [("shop", 3), ("bank", 0)])
def test_who_may_see_one_application_is_told_of_that_one_only(context: ApiContext, application: str, calls: int) -> None:
    order = TokenOrder(name="one", grants={application: "viewer"})
    secret = context.access.issue_token(Identity(actor="user:root", grants={EVERYWHERE: Role.ADMIN}), order).secret
    with TestClient(create_app(context), headers={"Authorization": f"Bearer {secret}"}) as client:
        assert client.get("/api/v1/status").json()["calls"] == calls
        assert client.get("/api/v1/coverage").json().get("refusal", {"ran": 0})["ran"] == calls
        states = {row["name"]: row["state"] for row in client.get("/api/v1/scorers").json()}
        assert states["refusal"] == ("running" if calls else "silent")
        told = client.get("/metrics").text
    assert ('holdfast_incidents{state="open"} 1.0' in told) is bool(calls)
    assert ('holdfast_scorer_traces{outcome="ran",scorer="refusal"} 3.0' in told) is bool(calls)
    assert "holdfast_pipeline_up 1.0" in told
    for shared in ("holdfast_ledger_events", "holdfast_pipeline_records", "holdfast_control", "process_"):
        assert shared not in told


def test_a_metric_stands_beside_what_it_was_before(client: TestClient) -> None:
    found = {row["name"]: row for row in client.get("/api/v1/metrics?service=shop&window_s=120").json()}
    assert found["refusal"]["count"] == 3
    assert found["refusal"]["recent"] is not None
    assert found["refusal"]["before"] is None


def test_only_the_metrics_asked_for_are_told(client: TestClient) -> None:
    found = client.get("/api/v1/metrics?service=shop&window_s=120&name=refusal&name=nonsense").json()
    assert [row["name"] for row in found] == ["refusal"]


def test_an_application_without_calls_has_no_metrics(client: TestClient) -> None:
    assert client.get("/api/v1/metrics?service=other").json() == []


@pytest.mark.parametrize("query", ["", "service=shop&window_s=0", "service=shop&window_s=many"])
def test_a_question_that_makes_no_sense_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/api/v1/metrics?{query}").status_code == 422
