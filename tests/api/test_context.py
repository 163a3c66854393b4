"""Where a token is set, nothing but health answers without it."""

import msgspec
import pytest
from fastapi.testclient import TestClient

from holdfast.api.application import create_app
from holdfast.api.context import ApiContext

GUARDED = (
    "/api/v1/incidents",
    "/api/v1/incidents/inc_1",
    "/api/v1/status",
    "/api/v1/coverage",
    "/api/v1/metrics?service=x",
    "/metrics",
)


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic correct", "Bearer "])
def test_a_missing_or_wrong_token_is_refused(context: ApiContext, path: str, header: str | None) -> None:
    client = TestClient(create_app(context))
    answer = client.get(path, headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_without_a_token_everybody_on_loopback_may_ask(context: ApiContext) -> None:
    client = TestClient(create_app(msgspec.structs.replace(context, token="")))
    assert client.get("/api/v1/incidents").status_code == 200


def test_every_route_but_health_is_guarded(context: ApiContext) -> None:
    paths = set(create_app(context).openapi()["paths"])
    known = {path.split("?")[0].replace("inc_1", "{incident_id}") for path in GUARDED}
    assert paths - known == {"/healthz", "/readyz", "/api/v1/incidents/{incident_id}/postmortem"}
    client = TestClient(create_app(context))
    assert client.get("/api/v1/incidents/inc_1/postmortem").status_code == 401
