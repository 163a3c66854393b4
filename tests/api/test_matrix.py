"""The authorisation matrix: every endpoint × every role. An endpoint that is in nobody's row fails."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from holdfast.access.access import Access, TokenOrder
from holdfast.access.roles import EVERYWHERE, Identity, Role
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.api.rate import RateLimit, RatePolicy
from holdfast.api.revealing import Revealing
from holdfast.calibration import Calibrations
from holdfast.ledger.store import Ledger
from holdfast.live import Progress
from holdfast.score.calibrator import FILE_NAME, Calibrator
from holdfast.score.registry import METRICS, SCORERS
from holdfast.score.run import Scoring
from holdfast.telemetry.store import TelemetryStore
from holdfast.testing.clock import FakeClock
from tests.api.conftest import CHEAP, trace
from tests.api.runs import runs
from tests.api.vaults import PSEUDONYM, filled
from tests.report.conftest import MINUTE, START, events

SCOPES = ("write:*", "write:reveals")
ADMIN = Identity(actor="user:root", grants={EVERYWHERE: Role.ADMIN})
NOBODY = "nobody"
STRANGER = "admin of another application"
WHO = (NOBODY, STRANGER, *(role.value for role in Role))

VIEWERS = frozenset(role.value for role in Role)
RESPONDERS = VIEWERS - {"viewer"}
APPROVERS = RESPONDERS - {"responder"}
ADMINS = frozenset({"admin"})
KNOWN = VIEWERS | {STRANGER}
ANYBODY = KNOWN | {NOBODY}

MATRIX: dict[str, frozenset[str]] = {
    "GET /healthz": ANYBODY,
    "GET /readyz": ANYBODY,
    # Lists answer everybody who is known with what they may see.
    "GET /api/v1/incidents": KNOWN,
    "GET /api/v1/signals": KNOWN,
    "GET /api/v1/calls": KNOWN,
    "GET /api/v1/changes": KNOWN,
    "GET /api/v1/heat": KNOWN,
    "GET /api/v1/objectives": KNOWN,
    "GET /api/v1/status": KNOWN,
    "GET /api/v1/coverage": KNOWN,
    "GET /api/v1/metric-definitions": KNOWN,
    "GET /api/v1/me": KNOWN,
    "GET /metrics": KNOWN,
    "GET /api/v1/incidents/{incident_id}": VIEWERS,
    "GET /api/v1/incidents/{incident_id}/postmortem": VIEWERS,
    "GET /api/v1/incidents/{incident_id}/export": VIEWERS,
    "GET /api/v1/traces/{trace_id}": VIEWERS,
    "GET /api/v1/scorers": KNOWN,
    "GET /api/v1/drills": KNOWN,
    "POST /api/v1/drills": APPROVERS,
    "GET /api/v1/drills/{run_id}": KNOWN,
    "GET /api/v1/monitoring/{kind}": KNOWN,
    "GET /api/v1/metrics": VIEWERS,
    "GET /api/v1/metrics/{name}/series": VIEWERS,
    "GET /api/v1/metrics/{name}/breakdown": VIEWERS,
    "GET /api/v1/metrics/{name}/rate": VIEWERS,
    "POST /api/v1/incidents/{incident_id}/acknowledge": RESPONDERS,
    "POST /api/v1/incidents/{incident_id}/assign": RESPONDERS,
    "POST /api/v1/incidents/{incident_id}/comment": RESPONDERS,
    "POST /api/v1/incidents/{incident_id}/severity": RESPONDERS,
    "POST /api/v1/incidents/{incident_id}/merge": RESPONDERS,
    "POST /api/v1/incidents/{incident_id}/timestamps": RESPONDERS,
    "POST /api/v1/incidents/{incident_id}/mitigate": RESPONDERS,
    "POST /api/v1/incidents/{incident_id}/resolve": RESPONDERS,
    "POST /api/v1/incidents/{incident_id}/close": RESPONDERS,
    "POST /api/v1/incidents/{incident_id}/decline": RESPONDERS,
    "POST /api/v1/reveals": APPROVERS,
    "POST /api/v1/erasures": ADMINS,
    "GET /api/v1/audit": ADMINS,
    "GET /api/v1/audit/verify": ADMINS,
    "GET /api/v1/users": ADMINS,
    "POST /api/v1/users": ADMINS,
    "PUT /api/v1/users/{name}": ADMINS,
    "PUT /api/v1/users/{name}/password": ADMINS,
    "GET /api/v1/tokens": ADMINS,
    "POST /api/v1/tokens": ADMINS,
    "DELETE /api/v1/tokens/{token_id}": ADMINS,
}
"""Who may; everybody else gets 401, 403, or 404 where existence itself is not told."""

STREAMS = ("GET /api/v1/events",)
"""Answers that do not end: their rights are tested in `test_live.py`."""
ELSEWHERE = ("/api/v1/control", "/api/v1/labels", "/api/v1/calibration", "/ofrep/")
"""Parts whose rights are tested with them."""

SEALED = {"application": "shop", "pseudonym": PSEUDONYM, "reason": "the matrix asks for it"}
BODIES: dict[str, dict[str, Any]] = {
    "assign": {"assignee": "bob"},
    "comment": {"text": "x"},
    "severity": {"severity": "sev2", "reason": "x"},
    "merge": {"into": "inc_none"},
    "timestamps": {"field": "started", "time": "2023-11-14T22:13:20Z", "reason": "x"},
    "users": {"name": "", "password": "correct horse battery", "grants": {}},
    "drills": {"names": ["healthy"]},
    "reveals": SEALED,
    "erasures": SEALED,
    "tokens": {"name": "t", "grants": {}, "lifetime_s": 60},
    "{name}": {"grants": {}},
    "password": {"password": "correct horse battery"},
}
QUERIES = {
    "/api/v1/metrics": {"service": "shop"},
    "/api/v1/metrics/{name}/series": {"service": "shop"},
    "/api/v1/metrics/{name}/rate": {"service": "shop"},
    "/api/v1/metrics/{name}/breakdown": {"service": "shop", "dimension": "route"},
}
PLACES = {
    "run_id": "run_none",
    "kind": "grafana",
    "incident_id": "inc_1",
    "trace_id": f"{1:032x}",
    "name": "refusal",
    "token_id": "tok_none",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    folder, clock = tmp_path_factory.mktemp("matrix"), FakeClock(START + 10 * MINUTE)
    with (
        TelemetryStore(f"chdb://{folder}/telemetry") as telemetry,
        Ledger(f"sqlite:///{folder}/ledger.sqlite") as ledger,
        filled(folder, clock) as vault,
    ):
        telemetry.append(Scoring(SCORERS).score([trace(1, START + 9 * MINUTE)]))
        ledger.append(events())
        drills = runs(folder, clock)
        access = Access(ledger.accounts, clock, passwords=CHEAP)
        yield create_app(
            ApiContext(
                telemetry=telemetry,
                ledger=ledger,
                metrics=METRICS,
                progress=Progress(last_read_ns=clock.now_ns()),
                clock=clock,
                access=access,
                rate=RateLimit(clock, RatePolicy(burst=1e9)),
                drills=drills,
                revealing=Revealing(vault, access, clock, RatePolicy(burst=1e9)),
                calibrations=Calibrations(telemetry, SCORERS, Calibrator(), folder / FILE_NAME, clock),
            )
        )
        drills.close()


@pytest.fixture(scope="module")
def secrets(app: FastAPI) -> dict[str, str]:
    access: Access = app.state.context.access
    grants = {STRANGER: {"bank": "admin"}, **{role.value: {EVERYWHERE: role.value} for role in Role}}
    return {
        who: access.issue_token(ADMIN, TokenOrder(name=who.replace(" ", "-"), grants=held, scopes=SCOPES)).secret
        for who, held in grants.items()
    }


@pytest.mark.parametrize("endpoint", MATRIX)
@pytest.mark.parametrize("who", WHO)
def test_who_may_and_who_may_not(app: FastAPI, secrets: dict[str, str], endpoint: str, who: str) -> None:
    method, path = endpoint.split(" ")
    body = BODIES.get(path.rpartition("/")[2], {"reason": "x"}) if method in ("POST", "PUT") else None
    headers = {"Authorization": f"Bearer {secrets[who]}"} if who in secrets else {}
    client = TestClient(app)
    answer = client.request(method, path.format(**PLACES), json=body, params=QUERIES.get(path), headers=headers)
    if who in MATRIX[endpoint]:
        # What is asked for may be impossible in this state, but it is not the right that is missing.
        assert answer.status_code not in (401, 403), answer.text
        assert answer.status_code < 500, answer.text
    else:
        assert answer.status_code == (401 if who == NOBODY else answer.status_code)
        assert answer.status_code in (401, 403, 404), answer.text


def test_every_endpoint_is_in_the_matrix(app: FastAPI) -> None:
    documented = app.openapi()["paths"]
    there = {f"{method.upper()} {path}" for path, operations in documented.items() for method in operations}
    mine = {endpoint for endpoint in there if not endpoint.split(" ")[1].startswith(ELSEWHERE)}
    assert mine == {*MATRIX, *STREAMS}


def test_the_document_of_the_matrix_is_up_to_date() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "api.md").read_text()
    for endpoint, allowed in MATRIX.items():
        weakest = next((role.value for role in Role if role.value in allowed), "")
        told = "anybody" if NOBODY in allowed else "anybody who is known" if STRANGER in allowed else weakest
        assert f"| `{endpoint}` | {told} |" in guide, endpoint
