"""Signals and changes over HTTP."""

import pytest
from fastapi.testclient import TestClient

from holdfast.api.context import ApiContext
from holdfast.core.change import Change, ChangeKind
from tests.report.conftest import MINUTE, START


def test_signals_say_what_moved_where_and_in_which_incident(client: TestClient) -> None:
    found = {row["metric"]: row for row in client.get("/api/v1/signals").json()}
    assert found["ungrounded_answer"]["incident"] == "inc_1"
    assert found["ungrounded_answer"]["segment"] == {"prompt.version": "v2"}
    assert client.get("/api/v1/signals?metric=ungrounded_answer").json() == [found["ungrounded_answer"]]
    assert client.get("/api/v1/signals?service=bank").json() == []


def test_changes_are_filtered_by_application_kind_and_time(client: TestClient, context: ApiContext) -> None:
    made = [
        Change(id=f"c{n}", time_ns=START + n * MINUTE, kind=kind, service=service)
        for n, (kind, service) in enumerate([(ChangeKind.PROMPT, "shop"), (ChangeKind.MODEL, "bank"), (ChangeKind.CODE, "")])
    ]
    context.telemetry.append_changes(made)
    assert [c["id"] for c in client.get("/api/v1/changes").json()] == ["c2", "c1", "c0"]
    assert [c["id"] for c in client.get("/api/v1/changes?service=shop").json()] == ["c2", "c0"]
    assert [c["id"] for c in client.get("/api/v1/changes?kind=model").json()] == ["c1"]
    assert [c["id"] for c in client.get("/api/v1/changes?until=2023-11-14T22:14:00Z").json()] == ["c0"]


@pytest.mark.parametrize("path", ["/api/v1/signals?limit=0", "/api/v1/changes?kind=magic", "/api/v1/changes?since=x"])
def test_a_question_that_makes_no_sense_is_refused(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 422
