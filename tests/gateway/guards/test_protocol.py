"""What a judge may read."""

import msgspec
import pytest

from holdfast.core.call import Kind, Message
from holdfast.gateway.dialects.protocol import Asked, Said
from holdfast.gateway.guards.protocol import MAX_TOOL_RESULTS, Seen, parameter


def test_request_and_answer_are_one_trace_with_the_latest_tool_results() -> None:
    results = tuple(Message("tool", f"result {n}") for n in range(20))
    seen = Seen(Asked(system="Be kind.", messages=(Message("user", "Hi"), *results)), Said(text="Hello"))
    trace = seen.trace
    assert (trace.question, trace.model_answer, trace.system_prompt) == ("Hi", "Hello", "Be kind.")
    tools = [c.tool_result for c in trace.of_kind(Kind.TOOL)]
    assert tools == [f"result {n}" for n in range(20 - MAX_TOOL_RESULTS, 20)]
    assert seen.trace is trace


def test_a_parameter_is_a_list_of_texts_or_an_error() -> None:
    assert parameter({}, "tools", tuple[str, ...]) == ()
    assert parameter({"tools": ["a"]}, "tools", tuple[str, ...]) == ("a",)
    with pytest.raises(msgspec.ValidationError):
        parameter({"tools": [1]}, "tools", tuple[str, ...])
