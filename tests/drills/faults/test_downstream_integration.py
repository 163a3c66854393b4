import orjson

from holdfast.core.call import Kind
from tests.drills.effects import means, refuses, steps, tool_errors, traces_of, unsupported_numbers


def test_a_changed_interface_refuses_one_tool() -> None:
    _, struck = traces_of("tool_schema_change")
    assert len({t.dimensions["tool"] for t in struck}) == 1
    assert means("tool_schema_change", tool_errors)[1] == 1.0


def test_stale_data_come_without_any_error_and_the_answer_believes_them() -> None:
    assert means("tool_stale_data", tool_errors)[1] < 0.1
    assert means("tool_stale_data", unsupported_numbers)[1] < 0.1


def test_a_time_out_is_slow_and_the_answer_is_invented() -> None:
    assert means("tool_timeout_invention", unsupported_numbers)[1] > 0.5
    before, after = means("tool_timeout_invention", lambda t: t.root.duration_ms)
    assert after > before + 3000


def test_a_loop_takes_many_more_steps_with_the_same_arguments() -> None:
    before, after = means("agent_loop", steps)
    assert after > 2 * before
    for trace in traces_of("agent_loop")[1]:
        assert len({t.tool_arguments for t in trace.of_kind(Kind.TOOL)}) == 1


def test_wrong_arguments_do_not_hold_what_the_user_asked_for() -> None:
    for trace in traces_of("wrong_tool_arguments")[1]:
        wanted = next(iter(orjson.loads(trace.of_kind(Kind.TOOL)[-1].tool_arguments).values()))
        assert f" {wanted} " not in f" {trace.question.translate(str.maketrans('?,.', '   '))} "
    assert means("wrong_tool_arguments", tool_errors)[1] > 0.3


def test_the_consumer_refuses_output_that_is_as_good_as_before() -> None:
    assert means("consumer_parser_change", tool_errors)[1] == 1.0
    assert all(orjson.loads(t.model_answer)["category"] for t in traces_of("consumer_parser_change")[1])


def test_an_agent_with_too_many_rights_uses_them() -> None:
    healthy, struck = traces_of("excess_permission")
    usual = {call.tool_name for t in healthy for call in t.of_kind(Kind.TOOL)}
    assert all({call.tool_name for call in t.of_kind(Kind.TOOL)} - usual for t in struck)


def test_a_limiter_brings_refusals_retries_and_waiting() -> None:
    assert means("rate_limit_cascade", tool_errors)[1] > 0.5
    before, after = means("rate_limit_cascade", lambda t: t.root.duration_ms)
    assert after > 2 * before
    assert means("rate_limit_cascade", refuses)[1] > 0.3


def test_turned_feedback_hits_good_answers() -> None:
    def positive(t: object) -> float | None:
        evaluations = getattr(t, "root").evaluations  # noqa: B009
        return float(evaluations[0].value) if evaluations else None

    before, after = means("feedback_pipeline_broken", positive)
    assert before > 0.7
    assert after < 0.4
