"""Incidents over HTTP."""

import pytest
from fastapi.testclient import TestClient


def test_the_list_holds_what_is_shown(client: TestClient) -> None:
    (found,) = client.get("/api/v1/incidents").json()
    assert (found["id"], found["state"], found["cohort"]) == ("inc_1", "open", {"prompt.version": "v2"})


@pytest.mark.parametrize("query", ["service=other", "state=closed"])
def test_filters_leave_out_the_rest(client: TestClient, query: str) -> None:
    assert client.get(f"/api/v1/incidents?{query}").json() == []


@pytest.mark.parametrize("query", ["state=broken", "limit=0", "limit=501", "service=" + "x" * 300])
def test_a_filter_that_makes_no_sense_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/api/v1/incidents?{query}").status_code == 422


def test_one_incident_comes_with_its_timeline(client: TestClient) -> None:
    found = client.get("/api/v1/incidents/inc_1").json()
    assert [entry["event"] for entry in found["timeline"]] == [
        "IncidentOpened",
        "SignalJoined",
        "DiagnosisMade",
        "ImpactMeasured",
    ]


def test_the_postmortem_is_plain_text(client: TestClient) -> None:
    answer = client.get("/api/v1/incidents/inc_1/postmortem")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.startswith("# Post-mortem")


@pytest.mark.parametrize("path", ["/api/v1/incidents/nope", "/api/v1/incidents/nope/postmortem"])
def test_an_unknown_incident_is_not_found(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
