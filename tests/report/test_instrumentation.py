"""What an application never tells is said by name, so that silence is not taken for health."""

from typing import Any

import pytest

from holdfast.core.call import DIMENSIONS, Call, Document, Evaluation, Kind, Message, Usage
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.report.instrumentation import BLIND, MAX_SERVICES, NEEDED, InstrumentationTally, document_of

ALL: dict[str, Any] = {
    "kind": Kind.LLM,
    "dimensions": {"service.name": ("shop",), **{d: ("x",) for d in DIMENSIONS if d != "service.name"}},
    "input_messages": (Message("user", "when?"),),
    "output_messages": (Message("assistant", "at nine"),),
    "documents": (Document("open from nine"),),
    "conversation_id": "s1",
    "usage": Usage(input_tokens=0),
    "evaluations": (Evaluation("thumbs", 1.0),),
}


def request(number: int = 0, **fields: object) -> ScoredTrace:
    return ScoredTrace(Trace(f"t{number}", (Call(trace_id=f"t{number}", span_id="a", **fields),)), ())  # type: ignore[arg-type]


def tally(*scored: ScoredTrace) -> InstrumentationTally:
    made = InstrumentationTally()
    made.add(scored)
    return made


def test_every_dimension_but_the_detected_language_is_looked_for() -> None:
    assert set(DIMENSIONS) - set(BLIND) == {"service.name", "language"}


def test_a_request_that_tells_everything_leaves_nothing_untold() -> None:
    (found,) = tally(request(**ALL)).found()
    assert found.untold == []
    assert {found.share(name) for name in BLIND} == {1.0}


def test_a_bare_span_tells_nothing() -> None:
    (found,) = tally(request(dimensions={"service.name": ("shop",)})).found()
    assert found.untold == list(BLIND)
    assert set(NEEDED) <= set(found.untold)


@pytest.mark.parametrize("name", ["documents", "conversation_id", "usage", "evaluations", "input_messages", "output_messages"])
def test_what_is_missing_is_told_apart_from_the_rest(name: str) -> None:
    (found,) = tally(request(**{k: v for k, v in ALL.items() if k != name})).found()
    assert len(found.untold) == 1


def test_shares_are_of_the_requests_of_the_same_application() -> None:
    quiet = {"dimensions": {"service.name": ("crm",)}}
    found = tally(request(0, **ALL), request(1, dimensions={"service.name": ("shop",)}), request(2, **quiet)).found()
    assert [(i.service, i.requests) for i in found] == [("shop", 2), ("crm", 1)]
    assert document_of(found)["shop"] == {"requests": 2, "tells": {**dict.fromkeys(BLIND, 0.5)}}


def test_feedback_that_comes_later_is_no_request_of_its_own() -> None:
    later = Call(
        trace_id="t0", span_id="b", parent_span_id="a", kind=Kind.EVALUATION, dimensions={"service.name": ("shop",)},
        evaluations=(Evaluation("thumbs", 0.0),),
    )  # fmt: skip
    (found,) = tally(request(dimensions={"service.name": ("shop",)}), ScoredTrace(Trace("t0", (later,)), ())).found()
    assert (found.requests, found.told["feedback"]) == (1, 1)


def test_feedback_is_never_told_by_more_requests_than_there_are() -> None:
    later = Call(trace_id="t0", span_id="b", parent_span_id="a", kind=Kind.EVALUATION, evaluations=(Evaluation("thumbs", 0.0),))
    (found,) = tally(request(), *[ScoredTrace(Trace("t0", (later,)), ())] * 3).found()
    assert found.share("feedback") == 1.0


def test_no_more_applications_are_counted_than_can_be_held() -> None:
    names = [request(n, dimensions={"service.name": (f"service {n}",)}) for n in range(MAX_SERVICES + 5)]
    assert len(tally(*names).found()) == MAX_SERVICES


def test_without_a_request_nothing_is_said() -> None:
    assert tally().found() == []
