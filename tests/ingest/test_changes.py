import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.change import Change, ChangeKind
from holdfast.core.errors import InputError
from holdfast.ingest.changes import change_of, parse_cloudevents, parse_github, read_changes
from holdfast.ingest.record import Rejected
from tests.ingest.otlp.bodies import Words

TIME = "2026-11-23T10:00:00Z"
TIME_NS = 1_795_428_000_000_000_000
DATA = {"kind": "prompt", "target": "answer", "from": "6", "to": "7", "scope": {"route": "/chat", "service.name": "support"}}
EVENT = {
    "specversion": "1.0",
    "id": "e1",
    "source": "/ci",
    "type": "holdfast.change.v1",
    "time": TIME,
    "subject": "answer",
    "data": DATA,
}
CHANGE = Change(
    id="e1",
    time_ns=TIME_NS,
    kind=ChangeKind.PROMPT,
    source="/ci",
    subject="answer",
    target="answer",
    from_value="6",
    to_value="7",
    service="support",
    scope={"route": "/chat"},
)
STRUCTURED = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
BATCH = {"content-type": "application/cloudevents-batch+json"}


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_a_structured_event_is_a_change() -> None:
    assert parse_cloudevents(STRUCTURED, body(EVENT)) == [CHANGE]


def test_a_binary_event_is_the_same_change() -> None:
    headers = {f"ce-{k}": v for k, v in EVENT.items() if isinstance(v, str)} | {
        "Content-Type": "application/json",
        "Ce-Subject": "answer",
    }
    assert parse_cloudevents(headers, body(DATA)) == [CHANGE]


def test_headers_of_a_binary_event_are_percent_decoded() -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-type": "holdfast.change.v1",
        "ce-id": "1",
        "ce-source": "/",
        "ce-time": TIME,
        "ce-subject": "caf%C3%A9",
    }
    assert parse_cloudevents(headers, body(DATA))[0].subject == "café"


def test_a_batch_is_many_changes_and_an_empty_one_is_none() -> None:
    assert parse_cloudevents(BATCH, body([EVENT, {**EVENT, "id": "e2"}])) == [CHANGE, change_of({**EVENT, "id": "e2"})]
    assert parse_cloudevents(BATCH, b"[]") == []


@pytest.mark.parametrize(
    ("event", "where"),
    [
        ({**EVENT, "type": "com.example.other"}, "type"),
        ({**EVENT, "specversion": "0.3"}, "specversion"),
        ({**EVENT, "time": None}, "time"),
        ({**EVENT, "time": "yesterday"}, "time"),
        ({**EVENT, "time": "0001-01-01T00:00:00Z"}, "time"),
        ({**EVENT, "data": None}, "data"),
        ({**EVENT, "data": [1]}, "data"),
        ({**EVENT, "data": {**DATA, "kind": "weather"}}, "data.kind"),
        ({**EVENT, "data": {**DATA, "scope": "all"}}, "data.scope"),
    ],
)
def test_a_faulty_event_is_refused_naming_the_field(event: dict[str, Any], where: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_cloudevents(STRUCTURED, body(event))
    assert caught.value.where == where
    with pytest.raises(InputError) as caught:
        parse_cloudevents(BATCH, body([EVENT, event]))
    assert caught.value.where == f"[1].{where}"


@pytest.mark.parametrize(
    ("headers", "data"),
    [(STRUCTURED, b""), (STRUCTURED, b"1"), (STRUCTURED, b"{"), (BATCH, b"{}"), ({}, b"null"), (BATCH, b"[1]")],
)
def test_what_is_no_event_is_refused(headers: dict[str, str], data: bytes) -> None:
    with pytest.raises(InputError):
        parse_cloudevents(headers, data)


def test_an_event_written_by_hand_without_id_has_one_that_a_replay_makes_again() -> None:
    short = {k: v for k, v in EVENT.items() if k in ("type", "time", "data")}
    first, again = change_of(short), change_of(short)
    assert first == again
    assert first.id != change_of({**short, "data": {**DATA, "to": "8"}}).id


def test_the_scope_uses_the_names_of_dimensions() -> None:
    scope = {"prompt_version": "7", "tenant_id": "acme", "service": "support", "tool": None, "model": 4}
    change = change_of({**EVENT, "data": {**DATA, "scope": scope}})
    assert (change.service, change.scope) == ("support", {"prompt.version": "7", "tenant": "acme", "model": "4"})


def test_values_that_are_structures_are_their_json() -> None:
    assert change_of({**EVENT, "data": {**DATA, "to": {"temperature": 0.9}}}).to_value == '{"temperature": 0.9}'


def test_changes_are_redacted() -> None:
    change = change_of({**EVENT, "subject": "bob@example.com", "data": {**DATA, "to": "ask bob@example.com"}}, redactor=Words())
    assert (change.subject, change.to_value) == ("<EMAIL>", "ask <EMAIL>")


SECRET = "s3cret"
DEPLOYMENT = {"id": 42, "sha": "abc123", "ref": "main", "environment": "production", "created_at": TIME, "payload": {}}
HOOK = {"deployment": DEPLOYMENT, "repository": {"full_name": "acme/support"}}


def signed(event: str, document: Any, secret: str = SECRET) -> tuple[dict[str, str], bytes]:
    data = body(document)
    signature = "sha256=" + hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()
    return {"X-GitHub-Event": event, "X-Hub-Signature-256": signature}, data


def test_a_deployment_is_a_change_of_code() -> None:
    change = parse_github(*signed("deployment", HOOK), SECRET)
    assert change == Change(
        id="deployment-42",
        time_ns=TIME_NS,
        kind=ChangeKind.CODE,
        source="github.com/acme/support",
        subject="production",
        target="acme/support",
        to_value="abc123",
    )


def test_its_success_is_the_same_change_at_its_own_time() -> None:
    status = {"state": "success", "created_at": "2026-11-23T10:05:00Z"}
    change = parse_github(*signed("deployment_status", {**HOOK, "deployment_status": status}), SECRET)
    assert change is not None
    assert (change.id, change.time_ns) == ("deployment-42", TIME_NS + 300 * 10**9)


@pytest.mark.parametrize("state", ["error", "failure", "inactive", "in_progress", "queued", "pending"])
def test_other_states_change_nothing(state: str) -> None:
    assert parse_github(*signed("deployment_status", {**HOOK, "deployment_status": {"state": state}}), SECRET) is None


@pytest.mark.parametrize("event", ["ping", "push", "release", ""])
def test_other_events_are_no_changes(event: str) -> None:
    assert parse_github(*signed(event, {"zen": "x"}), SECRET) is None


@pytest.mark.parametrize(
    "payload",
    [
        {"kind": "prompt", "from": "6", "to": "7", "service": "support", "scope": {"route": "/chat"}},
        json.dumps({"kind": "prompt", "from": "6", "to": "7", "service": "support", "scope": {"route": "/chat"}}),
    ],
)
def test_the_payload_of_a_deployment_says_what_was_changed(payload: Any) -> None:
    change = parse_github(*signed("deployment", {**HOOK, "deployment": {**DEPLOYMENT, "payload": payload}}), SECRET)
    assert change is not None
    assert (change.kind, change.from_value, change.to_value, change.service, change.scope) == (
        ChangeKind.PROMPT,
        "6",
        "7",
        "support",
        {"route": "/chat"},
    )


def test_a_webhook_that_is_not_signed_with_our_secret_is_refused() -> None:
    headers, data = signed("deployment", HOOK)
    for wrong in (
        {**headers, "X-Hub-Signature-256": ""},
        {"X-GitHub-Event": "deployment"},
        {**headers, "X-Hub-Signature-256": "sha256=é"},
        signed("deployment", HOOK, "x")[0],
    ):
        with pytest.raises(InputError, match="signature"):
            parse_github(wrong, data, SECRET)
    with pytest.raises(InputError, match="signature"):
        parse_github(headers, data + b" ", SECRET)
    with pytest.raises(InputError, match="no webhook secret"):
        parse_github(headers, data, "")


@pytest.mark.parametrize("document", [[], {}, {"deployment": 1}, {"deployment": {"created_at": TIME}}, {"deployment": {"id": 1}}])
def test_a_signed_webhook_of_the_wrong_shape_is_refused(document: Any) -> None:
    with pytest.raises(InputError):
        parse_github(*signed("deployment", document), SECRET)


def test_a_file_of_changes_gives_the_good_lines_and_names_the_bad_ones(tmp_path: Path) -> None:
    path = tmp_path / "changes.jsonl"
    path.write_bytes(body(EVENT) + b"\n\n{broken\n" + body({**EVENT, "time": "x"}) + b"\n" + body([EVENT]))
    found = list(read_changes(path))
    assert [c for c in found if isinstance(c, Change)] == [CHANGE, CHANGE]
    assert [r.where for r in found if isinstance(r, Rejected)] == [f"{path}:3", f"{path}:4"]
    assert "RFC 3339" in next(r.reason for r in found if isinstance(r, Rejected) and r.where.endswith(":4"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jsonl"):
        list(read_changes(tmp_path / "gone.jsonl"))


SECRET_EVENT = {
    **EVENT,
    "subject": "bob@example.com",
    "data": {**DATA, "target": "bob@example.com", "scope": {"user": "bob@example.com"}},
}


def test_changes_of_a_file_are_redacted_and_so_are_the_reasons_against_them(tmp_path: Path) -> None:
    path = tmp_path / "changes.jsonl"
    bad = {**EVENT, "time": "by bob@example.com"}
    path.write_bytes(body(SECRET_EVENT) + b"\n" + body(bad) + b"\n")
    change, rejected = read_changes(path, Words())
    assert isinstance(change, Change)
    assert (change.subject, change.target, change.scope) == ("<EMAIL>", "<EMAIL>", {"user": "<EMAIL>"})
    assert isinstance(rejected, Rejected)
    assert "<EMAIL>" in rejected.reason
    assert "bob@example.com" not in rejected.reason


def test_a_deployment_is_redacted_in_every_text(tmp_path: Path) -> None:
    secret = "bob@example.com"
    document = {
        "deployment": {
            "id": secret,
            "sha": secret,
            "environment": secret,
            "created_at": TIME,
            "payload": {"from": secret, "scope": {"a": secret}},
        },
        "repository": {"full_name": secret},
    }
    data = body(document)
    signature = "sha256=" + hmac.new(b"key", data, hashlib.sha256).hexdigest()
    headers = {"x-github-event": "deployment", "x-hub-signature-256": signature}
    change = parse_github(headers, data, "key", Words())
    assert change is not None
    assert secret not in repr(change)
    assert (change.target, change.from_value, change.scope) == ("<EMAIL>", "<EMAIL>", {"a": "<EMAIL>"})
