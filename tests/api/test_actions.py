"""What people do to incidents over HTTP: versions, keys, rights, audit."""

import pytest
from fastapi.testclient import TestClient

from holdfast.access.audit import audited_in
from holdfast.api.context import ApiContext
from holdfast.core.incident import State
from holdfast.ledger.accounts import ACCESS

PATH = "/api/v1/incidents/inc_1"


def test_a_write_answers_with_the_incident_after_it_and_its_version(client: TestClient) -> None:
    before = client.get(PATH).headers["etag"]
    answer = client.post(f"{PATH}/assign", json={"assignee": "ada"}, headers={"If-Match": before})
    assert (answer.status_code, answer.json()["assignee"], answer.headers["etag"]) == (200, "ada", '"5"')
    assert client.get(PATH).headers["etag"] == '"5"'


@pytest.mark.parametrize("tag", ['"3"', '"99"', "nonsense", '"' + "9" * 40 + '"', "٣"])
def test_a_write_that_was_decided_on_another_version_changes_nothing(client: TestClient, tag: str) -> None:
    answer = client.post(f"{PATH}/acknowledge", headers={b"If-Match": tag.encode()})
    assert answer.status_code == 412
    assert client.get(PATH).headers["etag"] == '"4"'


@pytest.mark.parametrize("tag", ["*", 'W/"4"', ""])
def test_a_version_that_fits_is_taken_in_any_form(client: TestClient, tag: str) -> None:
    assert client.post(f"{PATH}/acknowledge", headers={"If-Match": tag}).status_code == 200


def test_a_request_that_is_sent_again_changes_nothing(client: TestClient) -> None:
    headers = {"Idempotency-Key": "k1", "If-Match": '"4"'}
    first, again = (client.post(f"{PATH}/comment", json={"text": "looking"}, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["etag"] == '"5"'


def test_a_key_that_was_used_for_something_else_is_refused(client: TestClient) -> None:
    client.post(f"{PATH}/comment", json={"text": "one"}, headers={"Idempotency-Key": "k1"})
    assert client.post(f"{PATH}/comment", json={"text": "two"}, headers={"Idempotency-Key": "k1"}).status_code == 422


def test_what_its_state_does_not_allow_is_a_conflict(client: TestClient) -> None:
    assert client.post(f"{PATH}/resolve", json={"reason": "fixed"}).json()["state"] == "resolved"
    assert client.post(f"{PATH}/mitigate", json={"reason": "x"}).status_code == 409
    assert client.post(f"{PATH}/close", json={"reason": "reviewed"}).json()["state"] == "closed"


@pytest.mark.parametrize("into", ["inc_none", "inc_1", ""])
def test_an_incident_is_merged_into_another_one_that_exists(client: TestClient, context: ApiContext, into: str) -> None:
    assert client.post(f"{PATH}/merge", json={"into": into}).status_code in (404, 409, 422)
    assert context.ledger.incident("inc_1").state is State.OPEN


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("comment", {"text": " "}),
        ("comment", {"text": "x" * 10_001}),
        ("comment", {"text": "x\0"}),
        ("resolve", {}),
        ("resolve", {"reason": "x", "more": 1}),
        ("severity", {"severity": "sev0", "reason": "x"}),
        ("timestamps", {"field": "born", "time": "2023-01-01T00:00:00Z", "reason": "x"}),
        ("timestamps", {"field": "started", "time": "yesterday", "reason": "x"}),
        ("timestamps", {"field": "started", "time": "1066-10-14T00:00:00Z", "reason": "x"}),
    ],
)
def test_a_body_that_makes_no_sense_is_a_problem_document(client: TestClient, verb: str, body: dict[str, object]) -> None:
    answer = client.post(f"{PATH}/{verb}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) in ((422, "application/problem+json"), (200, "application/json"))
    assert answer.status_code == 422 or body == {"text": "x\0"}


def test_a_corrected_timestamp_keeps_what_stood_there(client: TestClient) -> None:
    body = {"field": "started", "time": "2023-11-14T22:00:00Z", "reason": "the deploy log"}
    stamp = client.post(f"{PATH}/timestamps", json=body).json()["timestamps"]["started"]
    assert stamp["time"] == "2023-11-14T22:00:00.000Z"
    assert stamp["corrected_from"] == ["2023-11-14T22:13:20.000Z"]


def test_every_write_is_audited_with_what_stood_there_before(client: TestClient, context: ApiContext) -> None:
    client.post(f"{PATH}/severity", json={"severity": "sev1", "priority": "high", "reason": "many users"})
    act = audited_in(context.ledger.stream(ACCESS).read()[-1].event)
    assert (act.address, act.target, act.application) == ("testclient", "inc_1", "shop")
    assert act.before["severity"] == "sev2"
    assert act.after == {"event": "SeverityChanged", "severity": "sev1", "priority": "high", "reason": "many users"}


def test_a_refused_write_is_not_audited(client: TestClient, context: ApiContext) -> None:
    client.post(f"{PATH}/acknowledge", headers={"If-Match": '"1"'})
    assert context.ledger.stream(ACCESS).read() == []
