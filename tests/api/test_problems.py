"""Every error is a problem document that says what to do and gives nothing away."""

import pytest
from fastapi.testclient import TestClient

from holdfast.access.roles import ForbiddenError, NotSignedInError
from holdfast.api.problems import MEDIA_TYPE, PreconditionError, answer_for, status_of
from holdfast.core.errors import (
    BackpressureError,
    ConflictError,
    HoldfastError,
    InputError,
    NotFoundError,
    StoreError,
    TransitionError,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotSignedInError("x"), 401),
        (ForbiddenError("x"), 403),
        (NotFoundError("x"), 404),
        (ConflictError("x"), 409),
        (PreconditionError("x"), 412),
        (TransitionError("x"), 409),
        (InputError("x"), 422),
        (BackpressureError("x", 0.1), 429),
        (StoreError("x"), 503),
        (HoldfastError("x"), 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_each_error_has_its_status(error: HoldfastError, status: int) -> None:
    assert status_of(error) == status
    answer = answer_for(error)
    assert (answer.status_code, answer.media_type) == (status, MEDIA_TYPE)


def test_what_a_store_says_is_not_told_to_who_asks() -> None:
    body = bytes(answer_for(StoreError("postgresql://user@10.0.0.7 refused")).body)
    assert b"10.0.0.7" not in body


def test_who_must_wait_is_told_how_long_in_whole_seconds() -> None:
    assert answer_for(BackpressureError("x", 0.1)).headers["retry-after"] == "1"
    assert answer_for(BackpressureError("x", 4.2)).headers["retry-after"] == "5"


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/incidents/nope", "/api/v1/incidents?limit=0"])
def test_errors_over_http_are_problem_documents(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert set(answer.json()) >= {"title", "status", "detail"}
    assert answer.json()["status"] == answer.status_code
