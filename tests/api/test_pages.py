"""The next page of a list is in the Link header."""

import re

import pytest
from fastapi.testclient import TestClient

from holdfast.api.context import ApiContext
from tests.ledger.examples import opened


def followed(client: TestClient, path: str) -> list[str]:
    found: list[str] = []
    for _ in range(20):
        answer = client.get(path)
        found += [item["id"] for item in answer.json()]
        link = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("link", ""))
        if link is None:
            return found
        path = link.group(1)
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("order", ["opened", "severity", "detected", "updated"])
@pytest.mark.parametrize("limit", [1, 3, 500])
def test_pages_hold_every_incident_once_and_keep_the_filters(
    client: TestClient, context: ApiContext, order: str, limit: int
) -> None:
    context.ledger.append([opened(f"inc_x{n}", service="shop") for n in range(5)] + [opened("inc_other", service="bank")])
    found = followed(client, f"/api/v1/incidents?service=shop&order={order}&limit={limit}")
    assert sorted(found) == ["inc_1", *(f"inc_x{n}" for n in range(5))]


@pytest.mark.parametrize("cursor", ["x", "1.x", "..", "9" * 40 + ".1", "sev1.1", "-1.1.1", "１.1"])
def test_a_cursor_that_no_page_gave_is_refused(client: TestClient, cursor: str) -> None:
    assert client.get("/api/v1/incidents", params={"cursor": cursor}).status_code in (200, 422)
    assert client.get("/api/v1/calls", params={"cursor": cursor}).status_code == 422
