"""The OpenAPI document is true: whatever it allows is answered without a server error, and as it says."""

from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from tests.api.test_control_matrix import WEAKEST
from tests.api.test_matrix import MATRIX
from tests.api.test_matrix import app as app
from tests.api.test_matrix import secrets as secrets

EXAMPLES = 10
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def test_the_document_is_openapi_three_one_and_names_every_tag(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("tags"), f"{method} {path}"
            assert operation.get("description"), f"{method} {path} does not say what it does"


ELSEWHERE = (
    *(f"{method} /api/v1/control{path}" for method, _, path in (endpoint.partition(" ") for endpoint in WEAKEST)),
    "GET /api/v1/labels",
    "POST /api/v1/labels",
    "GET /api/v1/calibrations",
    "POST /api/v1/calibrations",
    "DELETE /api/v1/calibrations",
)
"""Endpoints whose rights are tested with them: control plane and labels. OFREP has a document of its own."""
STREAMS = ("/api/v1/events", "/api/v1/control/stream")


def test_every_endpoint_is_asked(document: dict[str, Any]) -> None:
    there = {f"{method.upper()} {path}" for path, operations in document["paths"].items() for method in operations}
    assert there - {f"GET {path}" for path in STREAMS} == {*MATRIX, *ELSEWHERE}


@pytest.mark.parametrize("endpoint", [*MATRIX, *ELSEWHERE])
def test_whatever_is_asked_is_answered_without_a_server_error(
    app: FastAPI, document: dict[str, Any], secrets: dict[str, str], endpoint: str
) -> None:
    method, path = endpoint.split(" ")
    described = schemathesis.openapi.from_dict(document)
    operation = described[path][method]
    headers = {"Authorization": f"Bearer {secrets['admin']}"}

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def holds(case: Any) -> None:
        answer = case.call(app=app, base_url="http://localhost", headers=headers)
        case.validate_response(answer, checks=CHECKS)

    holds()
