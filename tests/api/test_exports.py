"""An incident to take away, over HTTP."""

import hashlib

import pytest
from fastapi.testclient import TestClient

from holdfast.access.audit import audited_in
from holdfast.api.context import ApiContext
from holdfast.ledger.accounts import ACCESS
from holdfast.report.export import problems_of

PATH = "/api/v1/incidents/inc_1/export"


@pytest.mark.parametrize(
    ("kind", "begins"), [("md", "# Post-mortem"), ("html", "<!doctype html>"), ("pdf", "%PDF-1."), ("json", "{")]
)
def test_each_form_is_a_download_and_noted(client: TestClient, context: ApiContext, kind: str, begins: str) -> None:
    answer = client.get(f"{PATH}?format={kind}")
    assert answer.content.startswith(begins.encode())
    assert answer.headers["content-disposition"] == f'attachment; filename="inc_1.{kind}"'
    event = context.ledger.stream(ACCESS).read()[-1].event
    assert (event.type, event.actor) == ("IncidentExported", "token:test")
    noted = audited_in(event).after
    assert noted == {"sha256": hashlib.sha256(answer.content).hexdigest(), "bytes": len(answer.content)}


def test_a_form_that_is_none_is_refused(client: TestClient) -> None:
    assert client.get(f"{PATH}?format=exe").status_code == 422


def test_the_bundle_ends_where_the_ledger_ended(client: TestClient, context: ApiContext) -> None:
    anchor = context.ledger.anchor()
    assert client.get(PATH).json()["ledger"]["anchor"] == {"seq": anchor.seq, "hash": anchor.hash}


def test_the_bundle_of_a_server_holds_its_hashes(client: TestClient) -> None:
    assert problems_of(client.get(PATH).json()) == []
