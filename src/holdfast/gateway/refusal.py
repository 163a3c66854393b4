"""Errors in the provider's own shape: what a client's SDK expects to read when the gateway itself says no."""

from enum import StrEnum

import msgspec
import orjson

from holdfast.control.snapshot import Dialect


class Reason(StrEnum):
    """Why the gateway answers instead of a target. The code of the error, a label of the metrics, an attribute of the span."""

    BAD_REQUEST = "bad_request"
    BODY_TOO_LARGE = "body_too_large"
    BODY_TIMEOUT = "body_timeout"
    UNAUTHENTICATED = "unauthenticated"
    ROUTE_UNKNOWN = "route_unknown"
    ROUTE_FORBIDDEN = "route_forbidden"
    BLOCKED = "blocked"
    THROTTLED = "throttled"
    KEY_LIMIT = "key_limit"
    USER_LIMIT = "user_limit"
    TENANT_LIMIT = "tenant_limit"
    SOURCE_QUARANTINED = "source_quarantined"
    TOOL_DISABLED = "tool_disabled"
    GUARD = "guard"
    GUARD_FAILED = "guard_failed"
    ROUTE_CLOSED = "route_closed"
    NO_TARGET = "no_target"
    SATURATED = "saturated"
    UPSTREAM_FAILED = "upstream_failed"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    UPSTREAM_BUSY = "upstream_busy"
    NOT_READY = "not_ready"
    INTERNAL = "internal"


_STATUS: dict[Reason, int] = {
    Reason.BAD_REQUEST: 400,
    Reason.BODY_TOO_LARGE: 413,
    Reason.BODY_TIMEOUT: 408,
    Reason.UNAUTHENTICATED: 401,
    Reason.ROUTE_UNKNOWN: 404,
    Reason.ROUTE_FORBIDDEN: 403,
    Reason.BLOCKED: 403,
    Reason.THROTTLED: 429,
    Reason.KEY_LIMIT: 429,
    Reason.USER_LIMIT: 429,
    Reason.TENANT_LIMIT: 429,
    Reason.SOURCE_QUARANTINED: 403,
    Reason.TOOL_DISABLED: 403,
    Reason.GUARD: 400,
    Reason.GUARD_FAILED: 503,
    Reason.ROUTE_CLOSED: 503,
    Reason.NO_TARGET: 503,
    Reason.SATURATED: 503,
    Reason.UPSTREAM_FAILED: 502,
    Reason.UPSTREAM_TIMEOUT: 504,
    Reason.UPSTREAM_BUSY: 429,
    Reason.NOT_READY: 503,
    Reason.INTERNAL: 500,
}
_OPENAI_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
}
_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
_OPENAI_CODES = {
    Reason.GUARD: "content_filter",
    Reason.ROUTE_UNKNOWN: "model_not_found",
    Reason.UNAUTHENTICATED: "invalid_api_key",
}
"""Codes for which OpenAI's clients have a name of their own."""


class Refusal(msgspec.Struct, frozen=True):
    """That, why and for how long the gateway refuses. `block_id` is what support looks up; `retry_after_s` 0 gives no hint."""

    reason: Reason
    message: str
    retry_after_s: float = 0.0
    block_id: str = ""

    @property
    def status(self) -> int:
        """HTTP status."""
        return _STATUS[self.reason]


def error_body(dialect: Dialect, refusal: Refusal, request_id: str) -> bytes:
    """The error in the words of `dialect`."""
    status, message = refusal.status, refusal.message
    if refusal.block_id:
        message = f"{message} (block {refusal.block_id})"
    if dialect is Dialect.ANTHROPIC:
        error = {"type": _ANTHROPIC_TYPES.get(status, "api_error"), "message": message}
        return orjson.dumps({"type": "error", "error": error, "request_id": request_id})
    code = _OPENAI_CODES.get(refusal.reason, refusal.reason.value)
    kind = _OPENAI_TYPES.get(status, "server_error")
    return orjson.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}})


def error_frame(dialect: Dialect, refusal: Refusal, request_id: str) -> bytes:
    """The error as an event of a stream that has begun."""
    body = error_body(dialect, refusal, request_id)
    return (b"event: error\n" if dialect is Dialect.ANTHROPIC else b"") + b"data: " + body + b"\n\n"
