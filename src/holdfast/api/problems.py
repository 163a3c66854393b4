"""Errors as `application/problem+json` (RFC 9457): one shape for everything that goes wrong."""

import math
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from holdfast.access.roles import ForbiddenError, NotSignedInError
from holdfast.core.errors import (
    BackpressureError,
    ConflictError,
    HoldfastError,
    InputError,
    NotFoundError,
    StoreError,
    TooLargeError,
    TransitionError,
    UnavailableError,
)

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """RFC 9457."""

    title: str = Field(description="What kind of problem: always the same for a status.")
    status: int
    detail: str = Field(default="", description="What is wrong this time, and what to do.")
    errors: list[dict[str, Any]] | None = Field(default=None, description="Each wrong field: where, and what is wrong.")


class PreconditionError(ConflictError):
    """The version of If-Match is not the one that is there."""


TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    412: "Precondition failed",
    413: "Too large",
    422: "Cannot be used",
    429: "Too many requests",
    500: "Internal error",
    502: "Another service failed",
    503: "Not available",
}

STATUS: tuple[tuple[type[HoldfastError], int], ...] = (
    (NotSignedInError, 401),
    (ForbiddenError, 403),
    (NotFoundError, 404),
    (PreconditionError, 412),
    (ConflictError, 409),
    (TransitionError, 409),
    (TooLargeError, 413),
    (InputError, 422),
    (BackpressureError, 429),
    (UnavailableError, 502),
    (StoreError, 503),
    (HoldfastError, 500),
)
"""Error → status; the first that fits."""


def status_of(error: HoldfastError) -> int:
    """The HTTP status of an error of ours."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


def problem(status: int, detail: str, headers: dict[str, str] | None = None, errors: Any = None) -> Response:
    """The answer that tells of it."""
    body: dict[str, Any] = {"title": TITLES.get(status, "Error"), "status": status, "detail": detail}
    if errors is not None:
        body["errors"] = errors
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def answer_for(error: HoldfastError) -> Response:
    """The answer for an error of ours. What a store says is for the log; who asks is told that it is not available."""
    status = status_of(error)
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, BackpressureError):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if status >= 500:
        log.error("request failed", error=str(error), kind=type(error).__name__)
        return problem(status, "a store or service behind Holdfast failed: see the server's log", headers)
    return problem(status, str(error), headers)


def install(app: FastAPI) -> None:
    """Makes every error of the application a problem document, and says so in its OpenAPI."""

    def ours(_: Request, error: Exception) -> Response:
        return answer_for(error) if isinstance(error, HoldfastError) else problem(500, "")

    def invalid(_: Request, error: Exception) -> Response:
        found = error.errors() if isinstance(error, RequestValidationError) else ()
        told = [{"where": ".".join(str(part) for part in e["loc"]), "what": e["msg"]} for e in found]
        return problem(422, "; ".join(f"{e['where']}: {e['what']}" for e in told[:5]), errors=told)

    def http(_: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            return problem(500, "")
        return problem(error.status_code, str(error.detail), dict(error.headers or {}))

    app.add_exception_handler(HoldfastError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with problems under their own media type, not that of what they stand for."""
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation.get("responses", {}).items():
                content = response.get("content", {})
                if content and (status == "default" or status[0] in "45"):
                    response["content"] = {MEDIA_TYPE: next(iter(content.values()))}
    return document
