import json

import pytest

from holdfast.core.call import Kind
from holdfast.score.delivered import asked_question, told_answer, without_evidence
from tests.score.build import ANSWER, QUESTION, REFUNDS, call, llm, retrieval, trace


def wrapped(output: str) -> str:
    return told_answer(trace(call(Kind.WORKFLOW, 1, output_text=output), llm()))


def test_the_answer_is_what_the_root_says() -> None:
    assert wrapped("Shown to the user.") == "Shown to the user."


def test_without_a_root_output_it_is_what_the_model_wrote() -> None:
    assert wrapped("") == ANSWER


@pytest.mark.parametrize(
    "output",
    [
        {"answer": ANSWER, "sources": ["a", "b"]},
        {"state": {"messages": [{"content": "hi"}, {"content": ANSWER}]}},
        [{"x": ANSWER}],
    ],
)
def test_the_answer_is_found_in_the_json_that_a_framework_put_around_it(output: object) -> None:
    assert wrapped(json.dumps(output)) == ANSWER


def test_an_altered_answer_is_found_by_its_name() -> None:
    assert wrapped(json.dumps({"id": 7, "answer": "Something else."})) == "Something else."


def test_json_without_an_answer_is_no_delivered_answer() -> None:
    assert wrapped(json.dumps({"rows": [1, 2], "state": "done"})) == ANSWER


def test_what_only_looks_like_json_is_taken_as_it_is() -> None:
    assert wrapped("{not json") == "{not json"


def test_json_that_the_model_was_asked_for_stays_json() -> None:
    answering = llm('{"answer": "x"}')
    assert told_answer(trace(call(Kind.WORKFLOW, 1, output_text='{"answer": "y"}'), answering)) == '{"answer": "y"}'


def test_deeply_nested_json_is_survived() -> None:
    deep = '{"a":' * 500 + "1" + "}" * 500
    assert wrapped(deep) in (deep, ANSWER)


def test_the_question_is_told_without_the_documents_around_it() -> None:
    prompt = f"Use these documents:\n{REFUNDS}\n\nQuestion: {QUESTION}"
    assert asked_question(trace(retrieval(REFUNDS), llm(question=prompt))) == QUESTION


def test_the_root_knows_the_question_best() -> None:
    prompt = f"Context: none. The customer says: {QUESTION} Answer politely."
    assert asked_question(trace(call(Kind.WORKFLOW, 1, input_text=QUESTION), llm(question=prompt))) == QUESTION


def test_a_question_without_documents_is_left_alone() -> None:
    text = "question: is this a label?"
    assert asked_question(trace(llm(question=text))) == text


def test_an_empty_piece_of_evidence_takes_nothing_away() -> None:
    assert without_evidence("abc", ["", "abcd"]) == "abc"
    assert without_evidence("a doc b", ["doc"]) == "a \n b"
