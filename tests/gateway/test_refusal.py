"""Errors in the provider's own shape."""

import anthropic
import openai
import orjson
import pytest

from holdfast.control.snapshot import Dialect
from holdfast.gateway.refusal import Reason, Refusal, error_body, error_frame


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_status_and_reads_well_in_both_dialects(reason: Reason) -> None:
    refusal = Refusal(reason, "because", 1, "blk_1")
    assert 400 <= refusal.status < 600
    ours = orjson.loads(error_body(Dialect.OPENAI, refusal, "req_1"))["error"]
    assert set(ours) == {"message", "type", "param", "code"}
    assert "blk_1" in ours["message"]
    theirs = orjson.loads(error_body(Dialect.ANTHROPIC, refusal, "req_1"))
    assert (theirs["type"], theirs["request_id"]) == ("error", "req_1")
    assert theirs["error"]["type"].endswith(("_error", "too_large"))


def test_in_a_stream_an_error_is_an_event() -> None:
    refusal = Refusal(Reason.UPSTREAM_FAILED, "broke off")
    assert error_frame(Dialect.OPENAI, refusal, "r").startswith(b'data: {"error"')
    assert error_frame(Dialect.ANTHROPIC, refusal, "r").startswith(b"event: error\ndata: ")


def test_the_sdks_have_a_class_for_what_is_refused() -> None:
    assert issubclass(openai.RateLimitError, openai.APIStatusError)
    assert issubclass(anthropic.RateLimitError, anthropic.APIStatusError)
    assert Refusal(Reason.THROTTLED, "").status == openai.RateLimitError.status_code == anthropic.RateLimitError.status_code
