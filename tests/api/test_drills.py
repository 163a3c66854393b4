"""Drills over HTTP: who may run them, and what comes back."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from fastapi.testclient import TestClient

from holdfast.access.access import TokenOrder
from holdfast.access.roles import Identity, Role
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.api.drill_runs import DrillRuns
from holdfast.ledger.accounts import ACCESS
from tests.api.conftest import TOKEN
from tests.api.runs import WAITS, runs

ORDER = {"names": ["wrong_embedder"], "seed": 7}


@pytest.fixture
def drills(tmp_path: Path, context: ApiContext) -> Iterator[DrillRuns]:
    found = runs(tmp_path, context.clock)
    yield found
    found.close()


@pytest.fixture
def client(context: ApiContext, drills: DrillRuns) -> Iterator[TestClient]:
    app = create_app(msgspec.structs.replace(context, drills=drills))
    with TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"}) as found:
        yield found


def test_a_run_is_begun_noted_and_told_with_its_scorecard(client: TestClient, drills: DrillRuns, context: ApiContext) -> None:
    begun = client.post("/api/v1/drills", json=ORDER)
    assert (begun.status_code, begun.json()["seed"]) == (202, 7)
    event = context.ledger.stream(ACCESS).read()[-1].event
    assert (event.type, event.actor) == ("DrillsRun", "token:test")
    assert drills.wait(30)
    (listed,) = client.get("/api/v1/drills").json()
    assert (listed["state"], listed["by"]) == ("done", "token:test")
    shown = client.get(f"/api/v1/drills/{listed['id']}").json()
    assert shown["scorecard"]["parts"][0]["drills"] == 20


def test_a_second_one_waits(context: ApiContext, tmp_path: Path) -> None:
    drills = runs(tmp_path, context.clock, WAITS)
    app = create_app(msgspec.structs.replace(context, drills=drills))
    with TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        assert client.post("/api/v1/drills", json=ORDER).status_code == 202
        assert client.post("/api/v1/drills", json=ORDER).status_code == 409
        assert client.get("/api/v1/drills").json()[0]["ended"] is None
    drills.close()


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"names": []},
        {"names": ["nothing"]},
        {"names": ["all"], "seed": -1},
        {"names": ["all"], "calls": 1},
        {**ORDER, "jobs": 9},
    ],
    ids=range(6),
)
def test_an_order_that_makes_no_sense_is_refused(client: TestClient, order: dict[str, object]) -> None:
    assert client.post("/api/v1/drills", json=order).status_code == 422
    assert client.get("/api/v1/drills").json() == []


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.RESPONDER, 403), (Role.APPROVER, 202)])
def test_only_approvers_take_the_machines_time(client: TestClient, context: ApiContext, role: Role, status: int) -> None:
    root = Identity(actor="user:root", grants={"*": Role.ADMIN})
    secret = context.access.issue_token(root, TokenOrder(name="t", grants={"*": role.value})).secret
    assert client.post("/api/v1/drills", json=ORDER, headers={"Authorization": f"Bearer {secret}"}).status_code == status


def test_a_server_that_runs_none_says_so(context: ApiContext) -> None:
    with TestClient(create_app(context), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        assert client.get("/api/v1/drills").status_code == 404
        assert client.get("/api/v1/drills/run_1").status_code == 404
