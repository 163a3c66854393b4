"""Change events of any content: changes, or an InputError."""

import hashlib
import hmac
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.change import Change
from holdfast.core.errors import InputError
from holdfast.ingest.changes import parse_cloudevents, parse_github

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text(max_size=20)
    | st.sampled_from(["holdfast.change.v1", "2026-01-01T00:00:00Z", "prompt"])
)
KEYS = (
    "specversion id source type time subject data kind target from to scope deployment deployment_status payload "
    "repository full_name state created_at sha"
)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=6),
    max_leaves=20,
)
headers = st.dictionaries(
    st.sampled_from(["content-type", "ce-type", "ce-id", "ce-time", "ce-specversion", "x-github-event"]),
    st.text(max_size=30)
    | st.sampled_from(["application/cloudevents-batch+json", "holdfast.change.v1", "1.0", "2026-01-01T00:00:00Z", "deployment"]),
)
quick = settings(max_examples=150, deadline=None)


@given(headers=headers, body=st.binary(max_size=100) | trees.map(orjson.dumps))
@quick
def test_any_request_is_changes_or_an_input_error(headers: dict[str, str], body: bytes) -> None:
    try:
        found = parse_cloudevents(headers, body)
    except InputError:
        return
    assert all(isinstance(change, Change) for change in found)


@given(event=st.sampled_from(["deployment", "deployment_status", "push"]), document=trees)
@quick
def test_any_signed_webhook_is_a_change_nothing_or_an_input_error(event: str, document: Any) -> None:
    body = orjson.dumps(document)
    signature = "sha256=" + hmac.new(b"s", body, hashlib.sha256).hexdigest()
    try:
        parse_github({"X-GitHub-Event": event, "X-Hub-Signature-256": signature}, body, "s")
    except InputError:
        return
