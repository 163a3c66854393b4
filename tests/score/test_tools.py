import pytest

from holdfast.core.call import Message, Status, ToolCall
from holdfast.score.tools import Tools, error_in, longest_cycle
from tests.score.build import exchange, llm, scores, tool, trace


@pytest.mark.parametrize(
    "result",
    [
        '{"error": "no such order"}',
        '{"errors": ["a"]}',
        '{"status": "failed"}',
        '{"status": 503}',
        '{"code": 500, "message": "x"}',
        '{"success": false}',
        '{"isError": true}',
        "Error: connection refused",
        "Traceback (most recent call last):",
        "503 Service Unavailable",
        "timeout after 30 s",
    ],
)
def test_a_result_that_reads_like_an_error_is_one(result: str) -> None:
    assert error_in(result)[0] > 0.8


@pytest.mark.parametrize(
    "result",
    [
        '{"error": null, "order": 7}',
        '{"error": false}',
        '{"errors": []}',
        '{"status": "ok"}',
        '{"status": 200}',
        '{"code": "A500"}',
        "The error rate of the device is low.",
        "[1, 2]",
        "{broken",
        "",
    ],
)
def test_another_result_is_not(result: str) -> None:
    assert error_in(result)[0] == 0.0


def test_a_tool_span_in_error_failed() -> None:
    found = scores(Tools(), trace(llm(), tool("", status=Status.ERROR, error_type="Timeout")))
    assert found["tool_error"].value == 1.0
    assert "Timeout" in found["tool_error"].why
    assert found["tool_error"].span_id.endswith("4")


@pytest.mark.parametrize(
    ("arguments", "bad"),
    [('{"id": 1}', False), ("", False), ("{}", False), ("{'id': 1}", True), ('{"id": ', True), ("[1]", True), ("Oslo", True)],
)
def test_arguments_must_be_a_json_object(arguments: str, bad: bool) -> None:
    assert (scores(Tools(), trace(llm(), tool(arguments=arguments)))["tool_arguments_invalid"].value >= 0.5) is bad


def test_a_tool_that_was_not_offered_was_called_wrongly() -> None:
    subject = trace(llm(tool_definitions=("get_order",)), tool(name="drop_table"))
    assert scores(Tools(), subject)["tool_arguments_invalid"].value == 1.0


def test_a_tool_that_complains_of_its_arguments_was_called_wrongly() -> None:
    subject = trace(llm(), tool('{"error": "missing required parameter order_id"}'))
    assert scores(Tools(), subject)["tool_arguments_invalid"].value > 0.8
    subject = trace(llm(), tool('{"error": "database is down"}'))
    assert scores(Tools(), subject)["tool_arguments_invalid"].value < 0.1


def test_a_call_without_a_span_is_judged_on_the_model_that_asked_for_it() -> None:
    asked = (Message("assistant", "", (ToolCall("get_order", "{nope"),)),)
    found = scores(Tools(), trace(llm(output_messages=asked)))
    assert found["tool_arguments_invalid"].value > 0.9
    assert found["tool_arguments_invalid"].span_id.endswith("3")


def test_the_same_call_again_is_a_repetition() -> None:
    found = [s.value for s in Tools().score(trace(llm(), *(tool(span=4 + i) for i in range(3)))) if s.metric == "repeated_call"]
    assert found == [0.0, 1.0, 1.0]


def test_other_arguments_are_another_call() -> None:
    subject = trace(llm(), *(tool(span=4 + i, arguments=f'{{"page": {i}}}') for i in range(5)))
    found = list(Tools().score(subject))
    assert all(s.value == 0 for s in found if s.metric == "repeated_call")
    assert max(s.value for s in found if s.metric == "tool_loop") < 0.1


def test_going_round_in_circles_is_a_loop() -> None:
    def loop(n: int) -> float:
        calls = [tool(name=name, span=4 + 2 * i + j) for i in range(n) for j, name in enumerate(("search", "open"))]
        return scores(Tools(), trace(llm(), *calls))["tool_loop"].value

    assert loop(1) < 0.1 < 0.7 < loop(5)


def test_an_explosion_of_steps_is_a_loop() -> None:
    calls = [tool(name=f"tool{i}", arguments=f'{{"i": {i}}}', span=4 + i) for i in range(60)]
    assert scores(Tools(), trace(llm(), *calls))["tool_loop"].value > 0.9


@pytest.mark.parametrize(
    ("items", "times"), [("", 1), ("a", 1), ("aaaa", 4), ("abab", 2), ("xabababy", 3), ("abcabcabc", 3), ("abcd", 1)]
)
def test_the_longest_cycle_is_counted(items: str, times: int) -> None:
    assert longest_cycle(list(items)) == times


def test_without_tools_it_does_not_apply() -> None:
    assert not scores(Tools(), exchange("hi"))
