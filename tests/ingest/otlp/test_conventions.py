import pytest

from holdfast.ingest.otlp import conventions
from holdfast.ingest.otlp.conventions import CONVENTIONS, convention_of, plan_for


@pytest.mark.parametrize(
    ("names", "scope", "convention"),
    [
        (("openinference.span.kind", "gen_ai.request.model", "traceloop.entity.name"), "", "openinference"),
        (("traceloop.span.kind", "gen_ai.input.messages"), "", "openllmetry"),
        (("llm.request.type", "gen_ai.system"), "", "openllmetry"),
        (("gen_ai.system", "gen_ai.prompt.0.content"), "", "openllmetry"),
        (("gen_ai.operation.name", "traceloop.association.properties.x"), "", "openllmetry"),
        (("gen_ai.operation.name", "input.value"), "", "otel_genai"),
        (("gen_ai.operation.name",), "openinference.instrumentation.openai", "openinference"),
        (("mcp.method.name",), "", "otel_genai"),
        (("llm.model_name", "input.value"), "", "openinference"),
        (("ai.operationId", "gen_ai.system"), "ai", "vercel_ai"),
        (("operation.name", "ai.model.id"), "", "vercel_ai"),
        (("ai.operationId", "openinference.span.kind"), "ai", "openinference"),
        (("ai.operationId", "traceloop.span.kind"), "ai", "openllmetry"),
        (("operation.name", "air.quality"), "", "unknown"),
        (("http.route",), "", "unknown"),
        ((), "", "unknown"),
    ],
)
def test_the_convention_is_told_by_evidence(names: tuple[str, ...], scope: str, convention: str) -> None:
    assert convention_of(names, scope).name == convention


def test_plans_of_a_million_different_sets_of_names_are_not_all_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conventions, "_remembered", {})
    monkeypatch.setattr(conventions, "_MAX_REMEMBERED", 10)
    for i in range(50):
        plan_for((f"gen_ai.custom.{i}",), "")
    plan_for(tuple(f"k{i}" for i in range(5000)), "")
    assert 0 < len(conventions._remembered) <= 10


def test_a_remembered_plan_is_the_same_plan() -> None:
    assert plan_for(("gen_ai.system",), "s") is plan_for(("gen_ai.system",), "s")


def test_conventions_have_names_and_versions_of_their_own() -> None:
    assert len({c.name for c in CONVENTIONS}) == len({c.version for c in CONVENTIONS}) == len(CONVENTIONS)
    assert all(c.version.startswith(f"{c.name}/") for c in CONVENTIONS)
