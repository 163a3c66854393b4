"""Where a token is set, nothing but health answers without it."""

import re

import msgspec
import pytest
from fastapi.testclient import TestClient

from holdfast.access.access import Access, AccessPolicy
from holdfast.access.roles import Identity, Role
from holdfast.api.application import create_app
from holdfast.api.context import COOKIE, ApiContext, area_of
from holdfast.api.rate import RateLimit, RatePolicy
from tests.api.conftest import CHEAP, TOKEN

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


def test_in_a_demonstration_everybody_on_loopback_may_ask_and_no_name_that_points_there(context: ApiContext) -> None:
    access = Access(context.ledger.accounts, context.clock, AccessPolicy(demo=True), passwords=CHEAP)
    app = create_app(msgspec.structs.replace(context, access=access))
    assert TestClient(app, base_url="http://localhost").get("/api/v1/incidents").status_code == 200
    assert TestClient(app, base_url="http://evil.example").get("/api/v1/incidents").status_code == 401


def test_every_route_but_health_is_guarded(context: ApiContext) -> None:
    app = create_app(context)
    client = TestClient(app)
    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            status = client.request(method, re.sub(r"{\w+}", "x", path)).status_code
            assert (status == 401) == (path not in ("/healthz", "/readyz")), f"{method} {path}: {status}"


def test_a_browser_that_another_site_drives_changes_nothing_in_a_demonstration(context: ApiContext) -> None:
    access = Access(context.ledger.accounts, context.clock, AccessPolicy(demo=True), passwords=CHEAP)
    client = TestClient(create_app(msgspec.structs.replace(context, access=access)), base_url="http://localhost")
    path = "/api/v1/incidents/inc_1/acknowledge"
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post(path, headers=headers).status_code == 403
    assert client.post(path).status_code == 200


def test_a_session_writes_with_its_secret_only(context: ApiContext) -> None:
    root = Identity(actor="user:root", grants={"*": Role.ADMIN})
    context.access.add_user(root, "ada", "correct horse battery", {"*": "responder"})
    cookie = context.access.log_in("ada", "correct horse battery", "")
    session = context.access.of_cookie(cookie, "")
    assert session is not None
    client = TestClient(create_app(context), cookies={COOKIE: cookie})
    path = "/api/v1/incidents/inc_1/acknowledge"
    assert client.get("/api/v1/me").json()["actor"] == "user:ada"
    assert client.post(path).status_code == 403
    assert client.post(path, headers={"X-CSRF-Token": "wrong"}).status_code == 403
    assert client.post(path, headers={"X-CSRF-Token": session.csrf}).status_code == 200


def test_who_sends_too_much_is_asked_to_wait(context: ApiContext) -> None:
    narrow = msgspec.structs.replace(context, rate=RateLimit(context.clock, RatePolicy(burst=2)))
    client = TestClient(create_app(narrow), headers={"Authorization": f"Bearer {TOKEN}"})
    statuses = [client.get("/api/v1/me").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


@pytest.mark.parametrize(
    ("path", "area"),
    [("/api/v1/incidents/inc_1", "incidents"), ("/api/v1/calls", "calls"), ("/metrics", "metrics"), ("/ofrep/v1/x", "ofrep")],
)
def test_an_area_is_the_first_part_of_the_path(path: str, area: str) -> None:
    assert area_of(path) == area
