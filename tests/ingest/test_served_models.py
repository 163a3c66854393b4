"""A call that failed counts among those of the model that would have answered."""

import pytest

from holdfast.core.call import Call, Dimensions, Kind
from holdfast.ingest import served_models
from holdfast.ingest.served_models import ServedModels


def call(asked: str, answered: str = "", service: str = "shop") -> Call:
    model = answered or asked
    dimensions: Dimensions = {"service.name": (service,)}
    if model:
        dimensions["model"] = (model,)
    return Call(
        trace_id="1" * 32,
        span_id="2" * 16,
        kind=Kind.LLM,
        request_model=asked,
        response_model=answered,
        dimensions=dimensions,
    )


def models(calls: list[Call]) -> list[tuple[str, ...]]:
    return [c.dimensions.get("model", ()) for c in calls]


def test_a_failed_call_has_the_name_that_answered_last() -> None:
    served = ServedModels()
    assert models(served.named([call("gpt-4o", "gpt-4o-2024-08-06")])) == [("gpt-4o-2024-08-06",)]
    assert models(served.named([call("gpt-4o")])) == [("gpt-4o-2024-08-06",)]
    served.named([call("gpt-4o", "gpt-4o-2025-01-01")])
    assert models(served.named([call("gpt-4o")])) == [("gpt-4o-2025-01-01",)]


def test_a_retry_that_was_answered_in_the_same_trace_tells_it_too() -> None:
    assert models(ServedModels().named([call("gpt-4o"), call("gpt-4o", "gpt-4o-2024-08-06")])) == [("gpt-4o-2024-08-06",)] * 2


def test_before_any_answer_and_for_other_applications_it_keeps_the_name_that_it_asked_for() -> None:
    served = ServedModels()
    assert models(served.named([call("gpt-4o")])) == [("gpt-4o",)]
    served.named([call("gpt-4o", "gpt-4o-2024-08-06", service="bank")])
    assert models(served.named([call("gpt-4o")])) == [("gpt-4o",)]


def test_a_call_without_a_model_gets_none() -> None:
    assert models(ServedModels().named([call("")])) == [()]


def test_names_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served_models, "MAX_NAMES", 2)
    served = ServedModels()
    for number in range(4):
        served.named([call(f"m{number}", f"m{number}-x")])
    assert models(served.named([call("m0"), call("m3")])) == [("m0",), ("m3-x",)]
