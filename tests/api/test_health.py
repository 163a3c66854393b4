"""Health says the truth about the pipeline, to anybody."""

from fastapi.testclient import TestClient

from holdfast.api.application import create_app
from holdfast.api.context import ApiContext


def test_the_process_lives(context: ApiContext) -> None:
    assert TestClient(create_app(context)).get("/healthz").json() == {"status": "ok"}


def test_it_is_ready_while_the_pipeline_reads(context: ApiContext) -> None:
    assert TestClient(create_app(context)).get("/readyz").status_code == 200


def test_a_pipeline_that_stopped_is_not_ready_and_says_why(context: ApiContext) -> None:
    context.progress.error = "disk full"
    answer = TestClient(create_app(context)).get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "disk full")


def test_a_pipeline_that_has_not_read_for_a_minute_is_not_ready(context: ApiContext) -> None:
    context.progress.last_read_ns = 0
    assert TestClient(create_app(context)).get("/readyz").status_code == 503
