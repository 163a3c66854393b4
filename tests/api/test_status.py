"""Status: what is going on right now."""

import pytest
from fastapi.testclient import TestClient


def test_status_counts_calls_and_names_applications(client: TestClient) -> None:
    found = client.get("/api/v1/status").json()
    assert (found["calls"], found["services"], found["error"]) == (3, ["shop"], "")


def test_coverage_tells_ran_failed_and_skipped_of_each_scorer(client: TestClient) -> None:
    found = client.get("/api/v1/coverage").json()
    assert found
    assert all(counts["ran"] + counts["failed"] + counts["skipped"] == 3 for counts in found.values())


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
