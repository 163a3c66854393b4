from holdfast.core.call import Kind, Message
from holdfast.score.reading import reading_of
from holdfast.score.text import CAP
from tests.score.build import ANSWER, QUESTION, REFUNDS, SYSTEM, call, exchange, llm, retrieval, tool, trace


def test_a_trace_is_read_once() -> None:
    subject = exchange(ANSWER)
    assert reading_of(subject) is reading_of(subject)


def test_two_traces_are_two_readings() -> None:
    assert reading_of(exchange("one")).answer == "one"
    assert reading_of(exchange("two")).answer == "two"


def test_scores_are_about_the_answering_call_else_the_root() -> None:
    assert reading_of(exchange(ANSWER)).anchor.kind is Kind.LLM
    assert reading_of(trace(call(Kind.WORKFLOW))).anchor.kind is Kind.WORKFLOW


def test_a_long_text_is_cut_and_the_cut_is_told() -> None:
    reading = reading_of(exchange("a" * (CAP + 1)))
    assert len(reading.answer) == CAP
    assert str(CAP) in reading.cut
    assert reading_of(exchange(ANSWER)).cut == ""


def test_evidence_is_documents_and_tool_results() -> None:
    reading = reading_of(trace(retrieval(REFUNDS), llm(), tool("shipped")))
    assert [p.text for p in reading.evidence] == [REFUNDS, "shipped"]
    assert [p.text for p in reading.document_pieces] == [REFUNDS]


def test_tool_messages_stand_in_for_missing_tool_spans() -> None:
    answering = llm(input_messages=(Message("user", QUESTION), Message("tool", "shipped")))
    assert reading_of(trace(answering)).tool_results == ("shipped",)


def test_a_context_in_the_prompt_is_evidence_where_nothing_was_retrieved() -> None:
    prompt = f"{SYSTEM}\n\nContext:\n{REFUNDS} {REFUNDS}"
    assert REFUNDS in reading_of(exchange(ANSWER, system=prompt)).evidence[0].text


def test_a_short_prompt_holds_no_context() -> None:
    assert reading_of(exchange(ANSWER, system="Context: be nice.")).evidence == ()


def test_the_background_does_not_repeat_the_evidence() -> None:
    prompt = f"Documents:\n{REFUNDS}\nQuestion: {QUESTION}"
    reading = reading_of(exchange(ANSWER, prompt, REFUNDS))
    assert all(REFUNDS not in piece.text for piece in reading.background)
    assert reading.background[0].text == QUESTION
