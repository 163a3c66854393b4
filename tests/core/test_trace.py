import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.call import Call, Document, Kind, Message
from holdfast.core.trace import ScoredTrace, Trace

_NUMBERS = st.integers(0, 50)


def call(span: str, parent: str = "", start: int = 0, end: int = 10, **fields: object) -> Call:
    ids = {"trace_id": "t", "span_id": span, "parent_span_id": parent, "start_ns": start, "end_ns": end}
    return Call(**{**ids, **fields})  # type: ignore[arg-type]


def trace(*calls: Call) -> Trace:
    return Trace("t", calls)


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    count = draw(st.integers(1, 8))
    calls = []
    for i in range(count):
        parent = draw(st.sampled_from(["", "gone", *(str(j) for j in range(count))]))
        start = draw(_NUMBERS)
        calls.append(call(str(i), parent, start, start + draw(_NUMBERS), kind=draw(st.sampled_from(Kind))))
    return trace(*calls)


@given(traces())
def test_a_trace_always_has_a_root_among_its_calls(found: Trace) -> None:
    assert found.root in found.calls


@given(traces())
def test_calls_are_in_order_of_start(found: Trace) -> None:
    starts = [c.start_ns for c in found.calls]
    assert starts == sorted(starts)


@given(traces())
def test_a_trace_spans_all_of_its_calls(found: Trace) -> None:
    assert all(found.start_ns <= c.start_ns and c.end_ns <= found.end_ns for c in found.calls)


@given(traces(), st.randoms())
def test_the_order_of_arrival_does_not_matter(found: Trace, random: object) -> None:
    shuffled = list(found.calls)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    other = trace(*shuffled)
    assert {c.span_id for c in other.calls} == {c.span_id for c in found.calls}
    assert (other.start_ns, other.end_ns) == (found.start_ns, found.end_ns)


def test_a_parent_comes_before_the_child_that_starts_with_it() -> None:
    assert [c.span_id for c in trace(call("child", "root", 0, 5), call("root", "", 0, 9)).calls] == ["root", "child"]


def test_the_root_is_the_call_without_parent() -> None:
    assert trace(call("b", "a", 0, 99), call("a", "", 5, 10)).root.span_id == "a"


def test_a_missing_parent_makes_its_child_the_root() -> None:
    assert trace(call("b", "lost", 0, 9), call("c", "b", 1, 5)).root.span_id == "b"


def test_a_true_root_is_preferred_to_a_longer_orphan() -> None:
    assert trace(call("orphan", "lost", 0, 100), call("root", "", 0, 1)).root.span_id == "root"


def test_calls_that_are_each_others_parents_still_have_a_root() -> None:
    assert trace(call("a", "b", 0, 9), call("b", "a", 0, 5)).root.span_id == "a"


def test_a_trace_takes_dimensions_and_service_from_its_root() -> None:
    found = trace(call("a", dimensions={"service.name": ("s",)}), call("b", "a", dimensions={"service.name": ("other",)}))
    assert (found.service, found.dimensions) == ("s", {"service.name": ("s",)})


def test_the_answering_call_is_the_last_one_with_text() -> None:
    first = call("a", start=0, kind=Kind.LLM, output_text="first")
    second = call("b", start=1, kind=Kind.LLM, output_text="second")
    silent = call("c", start=2, kind=Kind.LLM)
    assert trace(first, second, silent).answering == second


def test_without_any_text_the_last_model_call_answers() -> None:
    assert trace(call("a", kind=Kind.LLM), call("b", start=1, kind=Kind.LLM)).answering == call("b", start=1, kind=Kind.LLM)


def test_a_trace_without_model_calls_has_no_answer() -> None:
    found = trace(call("a", kind=Kind.TOOL))
    assert (found.answering, found.model_answer, found.delivered_answer, found.system_prompt, found.history) == (
        None,
        "",
        "",
        "",
        (),
    )


def test_the_question_is_the_last_user_message_of_the_first_model_call() -> None:
    messages = (Message("user", "old"), Message("assistant", "hm"), Message("user", "new"), Message("user", ""))
    found = trace(call("a", input_text="root input"), call("b", "a", 1, kind=Kind.LLM, input_messages=messages))
    assert found.question == "new"


def test_without_user_messages_the_question_is_the_input_of_the_root_else_of_any() -> None:
    assert trace(call("a", input_text="root"), call("b", "a", 1, input_text="inner")).question == "root"
    assert trace(call("a"), call("b", "a", 1, input_text="inner")).question == "inner"


def test_the_delivered_answer_is_what_the_root_says() -> None:
    root = call("a", output_text="shown")
    model = call("b", "a", 1, kind=Kind.LLM, output_text="written")
    assert (trace(root, model).delivered_answer, trace(root, model).model_answer) == ("shown", "written")


def test_system_messages_are_the_prompt_and_not_the_history() -> None:
    messages = (Message("system", "rules"), Message("developer", "more"), Message("user", "hi"))
    found = trace(call("a", kind=Kind.LLM, input_messages=messages))
    assert found.system_prompt == "rules\nmore"
    assert found.history == (Message("user", "hi"),)


def test_documents_of_all_calls_are_collected() -> None:
    one, two = Document("one"), Document("two")
    found = trace(call("a", documents=(one,)), call("b", start=1, documents=(two,)))
    assert found.documents == (one, two)


def test_a_scored_trace_without_failures_has_none() -> None:
    assert ScoredTrace(trace(call("a")), ()).failures == ()


def test_what_the_user_was_shown_is_what_the_root_gave_out() -> None:
    found = trace(call("1", output_text="shown"), call("2", "1", kind=Kind.AGENT, output_text="inner"))
    assert found.delivered_answer == "shown"


def test_under_a_root_that_tells_nothing_the_outermost_agent_delivers() -> None:
    found = trace(
        call("1", kind=Kind.OTHER),
        call("2", "1", kind=Kind.AGENT, output_text="shown"),
        call("3", "2", kind=Kind.AGENT, output_text="a part"),
        call("4", "2", kind=Kind.LLM, output_messages=(Message("assistant", "written"),)),
    )
    assert (found.model_answer, found.delivered_answer) == ("written", "shown")


def test_of_two_agents_side_by_side_the_last_one_delivers() -> None:
    found = trace(
        call("1", kind=Kind.OTHER),
        call("2", "1", end=20, kind=Kind.AGENT, output_text="first"),
        call("3", "1", start=20, end=40, kind=Kind.AGENT, output_text="last"),
    )
    assert found.delivered_answer == "last"


def test_guards_tools_and_tasks_deliver_nothing() -> None:
    inner = [call(str(i), "1", kind=kind, output_text="x") for i, kind in enumerate((Kind.TOOL, Kind.GUARDRAIL, Kind.TASK), 2)]
    assert trace(call("1", kind=Kind.OTHER), *inner).delivering is None


@given(traces())
def test_delivery_is_decided_even_where_parents_go_in_circles(found: Trace) -> None:
    assert found.delivering is None or found.delivering in found.calls


def test_what_is_said_of_a_call_later_is_an_addendum_and_no_request() -> None:
    assert trace(call("9", "1", kind=Kind.EVALUATION)).addendum
    assert not trace(call("9", kind=Kind.EVALUATION)).addendum
    assert not trace(call("1"), call("9", "1", kind=Kind.EVALUATION)).addendum
    assert not trace(call("9", "1", kind=Kind.LLM)).addendum


WRITTEN = "Your order of three phones ships on 14 May, and you can return it within 30 days."
ALTERED = WRITTEN.replace("30 days", "80 days")


def model(start: int = 1, end: int = 5, text: str = WRITTEN) -> Call:
    return call("model", "root", start, end, kind=Kind.LLM, output_messages=(Message("assistant", text),))


def step(span: str, before: str, after: str, kind: Kind = Kind.TASK, start: int = 5) -> Call:
    return call(span, "root", start, start + 1, kind=kind, input_text=before, output_text=after)


def delivered(*calls: Call) -> str:
    return trace(call("root", "", 0, 20), *calls).delivered_answer


def test_a_step_that_takes_the_answer_and_gives_another_version_of_it_delivers() -> None:
    assert delivered(model(), step("post", WRITTEN, ALTERED)) == ALTERED


def test_of_several_steps_one_after_the_other_the_last_delivers() -> None:
    steps = step("filter", WRITTEN, f"{WRITTEN} Bye!", start=5), step("style", f"{WRITTEN} Bye!", ALTERED, start=7)
    assert delivered(model(), *reversed(steps)) == ALTERED


def test_a_step_that_was_given_the_answer_among_other_things_delivers() -> None:
    assert delivered(model(), step("post", f"[style=short] {WRITTEN}", ALTERED)) == ALTERED


def test_the_beginning_of_the_answer_is_delivered_where_it_was_cut() -> None:
    assert delivered(model(), step("stream", WRITTEN, WRITTEN[:30])) == WRITTEN[:30]


def test_what_the_root_says_counts_more_than_what_its_steps_say() -> None:
    root = call("root", "", 0, 20, output_text=WRITTEN)
    assert trace(root, model(), step("post", WRITTEN, ALTERED)).delivered_answer == WRITTEN


def test_a_step_behind_the_agent_takes_the_agents_answer() -> None:
    agent = call("agent", "root", 0, 6, kind=Kind.AGENT, output_text=WRITTEN)
    assert delivered(agent, model(text="Another draft of it."), step("post", WRITTEN, ALTERED, start=7)) == ALTERED


@pytest.mark.parametrize(
    "other",
    [
        step("guard", WRITTEN, "allow", Kind.GUARDRAIL),
        step("guard", WRITTEN, '{"verdict": "allow", "score": 0.02}', Kind.GUARDRAIL),
        step("title", WRITTEN, "Orders and returns"),
        step("task", "Where is my order?", ALTERED),
        step("task", "", ALTERED),
        step("task", WRITTEN, ""),
        step("store", WRITTEN, ALTERED, Kind.TOOL),
        step("before", WRITTEN, ALTERED, start=0),
    ],
    ids=["a verdict", "a verdict in JSON", "a title", "another input", "no input", "no output", "a tool", "before the model"],
)
def test_other_steps_deliver_nothing(other: Call) -> None:
    assert delivered(model(), other) == WRITTEN


def test_a_word_in_the_input_of_a_step_is_no_answer() -> None:
    assert delivered(model(text="Yes."), step("log", "Did it say Yes. or no?", "Yes. It said so.")) == "Yes."


@given(traces())
def test_what_delivers_is_one_of_the_calls_or_none(found: Trace) -> None:
    assert found.delivering is None or found.delivering in found.calls
