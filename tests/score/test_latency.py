from holdfast.core.call import Kind, Status
from holdfast.score.latency import Latency
from tests.score.build import SECOND, START, call, llm, scores, tool, trace


def test_times_are_milliseconds_of_root_and_model_call() -> None:
    root = call(Kind.WORKFLOW, 1, start_ns=START, end_ns=START + 2 * SECOND)
    found = scores(Latency(), trace(root, llm(time_to_first_token_ms=40.0)))
    assert {m: s.value for m, s in found.items()} == {
        "latency": 2000.0,
        "model_latency": 100.0,
        "time_to_first_token": 40.0,
        "error": 0.0,
    }
    assert found["latency"].span_id == root.span_id
    assert found["model_latency"].span_id.endswith("3")


def test_a_clock_that_ran_backwards_gives_no_negative_time() -> None:
    assert scores(Latency(), trace(call(Kind.WORKFLOW, 1, start_ns=START, end_ns=START - 5)))["latency"].value == 0.0


def test_a_time_that_was_not_told_is_unknown() -> None:
    found = scores(Latency(), trace(llm(span=1, start_ns=0, end_ns=0, time_to_first_token_ms=-1.0)))
    assert set(found) == {"error"}


def test_an_error_of_the_root_or_of_the_answering_call_fails_the_request() -> None:
    failed = scores(
        Latency(), trace(call(Kind.WORKFLOW, 1, status=Status.ERROR, error_type="Timeout", error_message="30 s"), llm())
    )
    assert (failed["error"].value, failed["error"].why) == (1.0, "Timeout 30 s")
    assert scores(Latency(), trace(call(Kind.WORKFLOW), llm("", status=Status.ERROR)))["error"].value == 1.0


def test_an_error_of_a_tool_that_the_application_coped_with_does_not() -> None:
    assert scores(Latency(), trace(call(Kind.WORKFLOW), llm(), tool(status=Status.ERROR)))["error"].value == 0.0
