"""Every answer carries the headers that keep a browser from doing what a page of ours would not."""

import msgspec
import pytest
from fastapi.testclient import TestClient

from holdfast.api.application import create_app
from holdfast.api.context import ApiContext


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/incidents", "/nowhere", "/metrics"])
def test_every_answer_has_them(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_a_refusal_has_them_too(context: ApiContext) -> None:
    assert "content-security-policy" in TestClient(create_app(context)).get("/api/v1/incidents").headers


def test_strict_transport_is_for_installations_behind_tls_only(context: ApiContext) -> None:
    assert "strict-transport-security" not in TestClient(create_app(context)).get("/healthz").headers
    secure = create_app(msgspec.structs.replace(context, secure_cookies=True))
    assert "strict-transport-security" in TestClient(secure).get("/healthz").headers
