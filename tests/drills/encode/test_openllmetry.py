import orjson

from holdfast.core.call import Call, Guardrail, Kind
from holdfast.drills.encode.openllmetry import encode
from holdfast.drills.render import Render
from holdfast.drills.script import perform
from tests.drills.turns import a_turn, nothing


def attributes(route: str, kind: Kind) -> dict[str, object]:
    turn = a_turn(route)
    perform(turn, nothing)
    call: Call = next(c for c in Render(turn).calls() if c.kind is kind)
    return dict(encode(call).attributes)


def test_entities_carry_their_input_and_output_as_json() -> None:
    found = attributes("/chat", Kind.RETRIEVAL)
    assert found["traceloop.span.kind"] == "task"
    assert orjson.loads(str(found["traceloop.entity.input"]))["kwargs"]["query"]
    assert orjson.loads(str(found["traceloop.entity.output"]))["documents"][0]["metadata"]["source"]


def test_a_model_call_is_flattened_and_has_no_entity() -> None:
    found = attributes("/orders", Kind.LLM)
    assert found["gen_ai.prompt.0.role"] == "system"
    assert found["gen_ai.completion.0.tool_calls.0.name"]
    assert "traceloop.span.kind" not in found


def test_dimensions_are_association_properties_on_every_span() -> None:
    for kind in (Kind.WORKFLOW, Kind.LLM, Kind.RETRIEVAL, Kind.TASK):
        assert attributes("/chat", kind)["traceloop.association.properties.route"] == "/chat"


def test_arguments_that_are_no_json_survive_as_text() -> None:
    call = Call(trace_id="a", span_id="b", kind=Kind.TOOL, tool_name="t", tool_arguments="not json", tool_result="")
    assert orjson.loads(str(encode(call).attributes["traceloop.entity.input"]))["kwargs"] == "not json"


def test_a_guardrail_that_failed_has_no_output() -> None:
    call = Call(trace_id="a", span_id="b", kind=Kind.GUARDRAIL, name="g", guardrails=(Guardrail("g", "error"),))
    assert "traceloop.entity.output" not in encode(call).attributes
