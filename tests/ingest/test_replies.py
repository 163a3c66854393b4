import json

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from holdfast.core.errors import (
    BackpressureError,
    ConfigurationError,
    HoldfastError,
    InputError,
    StoreError,
    TooLargeError,
)
from holdfast.ingest.auth import UnauthenticatedError
from holdfast.ingest.intake import Feed
from holdfast.ingest.otlp import Encoding
from holdfast.ingest.record import Rejected
from holdfast.ingest.replies import export_reply, export_response, refusal, refusal_reply, status_message

RETRYABLE = {429, 502, 503, 504}
"""OTLP: a client may send again after these, and must not after any other."""


@pytest.mark.parametrize(
    ("error", "http", "code"),
    [
        (InputError("bad"), 400, grpc.StatusCode.INVALID_ARGUMENT),
        (TooLargeError("big"), 413, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (UnauthenticatedError("who"), 401, grpc.StatusCode.UNAUTHENTICATED),
        (BackpressureError("full", 3), 429, grpc.StatusCode.UNAVAILABLE),
        (StoreError("disk"), 503, grpc.StatusCode.UNAVAILABLE),
        (ConfigurationError("ours"), 500, grpc.StatusCode.INTERNAL),
    ],
)
def test_every_error_has_its_codes(error: HoldfastError, http: int, code: grpc.StatusCode) -> None:
    refused = refusal(error)
    assert (refused.http, refused.code) == (http, code)


@pytest.mark.parametrize(
    "error", [InputError("x"), TooLargeError("x"), UnauthenticatedError("x"), BackpressureError("x", 2.5), StoreError("x")]
)
def test_the_sender_is_told_when_to_try_again_exactly_if_it_may(error: HoldfastError) -> None:
    reply = refusal_reply(refusal(error), Encoding.PROTOBUF)
    has_retry_info = any(detail.Is(RetryInfo.DESCRIPTOR) for detail in Status.FromString(reply.body).details)
    assert ("retry-after" in dict(reply.headers)) == has_retry_info == (reply.status in RETRYABLE)


def test_retry_after_is_whole_seconds_and_never_zero() -> None:
    assert dict(refusal_reply(refusal(BackpressureError("x", 0.2)), Encoding.JSON).headers)["retry-after"] == "1"
    assert dict(refusal_reply(refusal(BackpressureError("x", 2.5)), Encoding.JSON).headers)["retry-after"] == "3"


def test_bad_data_is_described_with_its_place() -> None:
    status = status_message(refusal(InputError("no id", where="resourceSpans[0]")))
    violation = BadRequest()
    assert status.details[0].Unpack(violation)
    assert violation.field_violations[0].field == "resourceSpans[0]"
    assert "no id" in violation.field_violations[0].description


def test_a_refusal_in_json_is_a_status_too() -> None:
    reply = refusal_reply(refusal(InputError("no id")), Encoding.JSON)
    assert reply.content_type == "application/json"
    assert json.loads(reply.body)["code"] == 3
    assert json.loads(reply.body)["message"] == "no id"


def test_a_fault_of_ours_does_not_tell_what_it_was() -> None:
    assert "secret path" not in refusal(ConfigurationError("secret path")).message


def test_full_success_leaves_partial_success_unset() -> None:
    assert export_reply(Feed.TRACES, Encoding.PROTOBUF, ()).body == b""
    assert export_reply(Feed.TRACES, Encoding.JSON, ()).body == b"{}"


def test_a_partial_success_counts_what_was_rejected_and_names_the_first_few() -> None:
    rejected = tuple(Rejected(f"spans[{n}]", "no id") for n in range(1000))
    reply = export_reply(Feed.TRACES, Encoding.PROTOBUF, rejected)
    partial = ExportTraceServiceResponse.FromString(reply.body).partial_success
    assert partial.rejected_spans == 1000
    assert "spans[0]: no id" in partial.error_message
    assert "and 995 more" in partial.error_message
    assert reply.status == 200


def test_partial_success_in_json_is_written_as_otlp_says() -> None:
    reply = export_reply(Feed.LOGS, Encoding.JSON, (Rejected("logRecords[0]", "no"),))
    assert json.loads(reply.body) == {"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": "logRecords[0]: no"}}


def test_what_was_kept_but_for_a_part_is_a_warning_with_zero_rejected() -> None:
    rejected = (Rejected("spans[0]", "too many attributes", lost=False),)
    partial = export_response(Feed.TRACES, rejected).partial_success
    assert getattr(partial, "rejected_spans") == 0  # noqa: B009
    assert partial.error_message


def test_what_is_not_ours_to_keep_is_no_fault_of_the_sender() -> None:
    rejected = (Rejected("logRecords[0]", "an application's log line", ignored=True),)
    assert export_response(Feed.LOGS, rejected).ByteSize() == 0


def test_an_answer_stays_small_however_long_the_reasons_are() -> None:
    rejected = [Rejected("w" * 10**6, "r" * 10**6) for _ in range(5)]
    assert len(export_reply(Feed.METRICS, Encoding.JSON, rejected).body) < 4000
    assert len(refusal_reply(refusal(InputError("m" * 10**6, where="w" * 10**6)), Encoding.JSON).body) < 4000


@pytest.mark.parametrize("feed", [Feed.TRACES, Feed.LOGS, Feed.METRICS])
def test_each_feed_has_its_own_response(feed: Feed) -> None:
    response: Message = export_response(feed, (Rejected("x", "y"),))
    assert feed.value[:3] in response.DESCRIPTOR.name.lower()
