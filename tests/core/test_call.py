import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.call import DIMENSIONS, Call, Evaluation, EvaluationRecord, Kind, Message, MetricPoint, ToolCall


def call(**fields: object) -> Call:
    return Call(**{"trace_id": "a" * 32, "span_id": "b" * 16, **fields})  # type: ignore[arg-type]


def test_a_call_is_identified_by_trace_and_span() -> None:
    assert call().key == ("a" * 32, "b" * 16)


def test_a_call_does_not_change() -> None:
    with pytest.raises(AttributeError):
        call().name = "other"  # type: ignore[misc]


def test_a_duration_is_in_milliseconds() -> None:
    assert call(start_ns=1_000_000, end_ns=3_500_000).duration_ms == 2.5


def test_a_call_that_ends_before_it_starts_took_no_time() -> None:
    assert call(start_ns=5, end_ns=1).duration_ms == 0


def test_a_call_without_an_application_belongs_to_the_unknown_one() -> None:
    assert call().service == "unknown_service"


def test_the_first_value_names_the_application() -> None:
    assert call(dimensions={"service.name": ("support", "other")}).service == "support"


@pytest.mark.parametrize(("requested", "answered", "model"), [("a", "b", "b"), ("a", "", "a"), ("", "b", "b"), ("", "", "")])
def test_the_model_is_the_one_that_answered_else_the_one_asked(requested: str, answered: str, model: str) -> None:
    assert call(request_model=requested, response_model=answered).model == model


def test_the_answer_joins_the_messages_that_have_text() -> None:
    messages = (Message("assistant", "one"), Message("assistant", tool_calls=(ToolCall("search"),)), Message("assistant", "two"))
    assert call(output_messages=messages, output_text="unused").answer == "one\ntwo"


def test_without_messages_the_output_text_is_the_answer() -> None:
    assert call(output_messages=(Message("assistant"),), output_text="plain").answer == "plain"


def test_what_was_not_reported_is_none_and_not_zero() -> None:
    usage = call().usage
    assert (usage.input_tokens, usage.output_tokens, call().cost_usd, call().cache_hit) == (None, None, None, None)


def test_calls_do_not_share_their_defaults() -> None:
    assert call().attributes is not call().attributes


def test_dimensions_have_one_name_each() -> None:
    assert len(set(DIMENSIONS)) == len(DIMENSIONS)


@given(st.text(), st.sampled_from(Kind), st.dictionaries(st.text(), st.lists(st.text(), min_size=1).map(tuple)))
def test_a_call_comes_back_from_its_bytes_as_it_was(name: str, kind: Kind, dimensions: dict[str, tuple[str, ...]]) -> None:
    before = call(name=name, kind=kind, dimensions=dimensions, attributes={"deep": {"list": [1, 2.5, None, True]}})
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(before), type=Call) == before


def test_an_evaluation_may_come_without_a_span_or_a_number() -> None:
    record = EvaluationRecord(time_ns=1, evaluation=Evaluation("relevance", label="good"), response_id="r")
    assert (record.span_id, record.evaluation.value) == ("", None)


def test_an_infrastructure_metric_has_a_service() -> None:
    with pytest.raises(TypeError):
        MetricPoint(time_ns=1, name="cpu", value=1.0)  # type: ignore[call-arg]
