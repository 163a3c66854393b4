import hashlib
import hmac
import json

import pytest

from holdfast.context.redact import RedactionPolicy, Redactor
from holdfast.core.call import Call
from holdfast.core.errors import InputError
from holdfast.ingest.auth import UnauthenticatedError
from holdfast.ingest.decoding import change_parsers, otlp_decoders
from holdfast.ingest.intake import Feed
from holdfast.ingest.otlp import Encoding
from tests.ingest.receivers import START_NS, trace_body

SECRET = "webhook-secret"
REDACTOR = Redactor(RedactionPolicy(), b"0123456789abcdef")


class Stopped:
    """A clock that stands still."""

    def __init__(self, now_ns: int) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        return self._now_ns


def deployment(**payload: str) -> bytes:
    return json.dumps(
        {
            "deployment": {"id": 9, "sha": "3f78685", "created_at": "2026-11-23T04:05:06Z", "payload": payload},
            "repository": {"full_name": "acme/support"},
        }
    ).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"x-github-event": "deployment", "x-hub-signature-256": f"sha256={digest}"}


def test_there_is_a_decoder_for_every_feed_of_otlp_in_every_encoding() -> None:
    feeds = {Feed.TRACES, Feed.LOGS, Feed.METRICS}
    assert set(otlp_decoders(REDACTOR)) == {(feed, encoding) for feed in feeds for encoding in Encoding}


def test_what_is_decoded_is_redacted() -> None:
    (part,) = otlp_decoders(REDACTOR)[Feed.TRACES, Encoding.PROTOBUF](trace_body([1], text="jane.doe@example.org"))
    (call,) = part.records
    assert isinstance(call, Call)
    assert "jane.doe" not in str(call)
    assert "EMAIL_ADDRESS" in str(call)


def test_spans_from_the_future_are_rejected_by_the_clock_that_was_given() -> None:
    decode = otlp_decoders(REDACTOR, Stopped(START_NS - 10 * 24 * 3600 * 10**9))[Feed.TRACES, Encoding.PROTOBUF]
    assert [len(part.rejected) for part in decode(trace_body([1]))] == [1]
    decode = otlp_decoders(REDACTOR, Stopped(START_NS))[Feed.TRACES, Encoding.PROTOBUF]
    assert [len(part.records) for part in decode(trace_body([1]))] == [1]


def test_a_signed_deployment_is_a_redacted_change() -> None:
    github = change_parsers(REDACTOR, SECRET).github
    assert github is not None
    body = deployment(**{"from": "v1 by jane.doe@example.org", "service": "support"})
    change = github(signed(body), body)
    assert change is not None
    assert change.to_value == "3f78685"
    assert change.service == "support"
    assert "jane.doe" not in str(change)


def test_a_wrong_signature_is_a_question_of_who_and_a_wrong_payload_is_bad_input() -> None:
    github = change_parsers(REDACTOR, SECRET).github
    assert github is not None
    with pytest.raises(UnauthenticatedError):
        github(signed(b"{}", "wrong"), b"{}")
    with pytest.raises(InputError):
        github(signed(b"[]"), b"[]")


def test_without_a_secret_github_is_not_served() -> None:
    assert change_parsers(REDACTOR, "").github is None
