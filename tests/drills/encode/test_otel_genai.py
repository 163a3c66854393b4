import orjson

from holdfast.core.call import Call, Kind, Message, ToolCall
from holdfast.drills.encode.otel_genai import encode
from holdfast.drills.render import Render
from holdfast.drills.script import perform
from tests.drills.turns import a_turn, nothing


def calls(route: str) -> tuple[Call, ...]:
    turn = a_turn(route)
    perform(turn, nothing)
    return Render(turn).calls()


def test_span_names_and_kinds_follow_the_convention() -> None:
    names = {encode(call).name for call in calls("/orders")}
    assert "chat gpt-4.1" in names
    assert "invoke_agent orders" in names
    assert any(name.startswith("execute_tool ") for name in names)
    assert all(encode(call).kind == (3 if call.kind in (Kind.LLM, Kind.RETRIEVAL) else 1) for call in calls("/chat"))


def test_messages_are_json_with_parts() -> None:
    model = next(c for c in calls("/orders") if c.kind is Kind.LLM)
    written = orjson.loads(str(encode(model).attributes["gen_ai.output.messages"]))
    assert written[0]["parts"][0]["type"] == "tool_call"
    assert written[0]["finish_reason"] == "tool_calls"


def test_arguments_that_are_no_json_survive() -> None:
    message = Message("assistant", "", (ToolCall("f", "{not json", "1"),))
    call = Call(
        trace_id="a",
        span_id="b",
        kind=Kind.LLM,
        output_messages=(message,),
        finish_reasons=("stop",),
        dimensions={"prompt.version": ("v1",)},
    )
    written = orjson.loads(str(encode(call).attributes["gen_ai.output.messages"]))
    assert written[0]["parts"][0]["arguments"] == "{not json"
