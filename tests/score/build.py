"""Builds the traces that the tests of scorers speak about."""

from typing import Any

from holdfast.core.call import Call, Document, Kind, Message
from holdfast.core.score import Score
from holdfast.core.trace import Trace
from holdfast.score.protocol import Scorer

SECOND = 10**9
START = 1_790_000_000 * SECOND
SYSTEM = "You are the support assistant of a telephone company. Answer in the customer's language."
QUESTION = "How many days do I have to return my phone?"
ANSWER = "You can return your phone within 30 days of delivery."
REFUNDS = "Phones can be returned within 30 days of delivery. The refund is paid within 5 business days."


def call(kind: Kind, span: int = 1, **fields: Any) -> Call:
    """A call of one trace, 100 ms long, child of span 1."""
    fields.setdefault("start_ns", START + span * SECOND // 10)
    fields.setdefault("end_ns", fields["start_ns"] + SECOND // 10)
    fields.setdefault("dimensions", {"service.name": ("support",), "route": ("/chat",)})
    parent = "" if span == 1 else f"{1:016x}"
    return Call(trace_id="ab" * 16, span_id=f"{span:016x}", parent_span_id=parent, kind=kind, **fields)


def llm(answer: str = ANSWER, question: str = QUESTION, span: int = 3, system: str = SYSTEM, **fields: Any) -> Call:
    """A model call with a system prompt, one user message and one answer."""
    fields.setdefault("output_messages", (Message("assistant", answer),) if answer else ())
    messages = (Message("system", system), Message("user", question)) if system else (Message("user", question),)
    fields.setdefault("input_messages", messages)
    return call(Kind.LLM, span, **fields)


def retrieval(*contents: str, span: int = 2, **fields: Any) -> Call:
    """A retrieval of documents with these texts."""
    fields.setdefault("documents", tuple(Document(content=c, id=str(i)) for i, c in enumerate(contents)))
    return call(Kind.RETRIEVAL, span, **fields)


def tool(result: str = "", name: str = "get_order", arguments: str = '{"id": "A17"}', span: int = 4, **fields: Any) -> Call:
    """A tool call."""
    return call(Kind.TOOL, span, tool_name=name, tool_arguments=arguments, tool_result=result, **fields)


def trace(*calls: Call) -> Trace:
    """A trace of these calls; one of a question and its answer where none is given."""
    return Trace("ab" * 16, calls or (llm(),))


def exchange(answer: str, question: str = QUESTION, *documents: str, system: str = SYSTEM) -> Trace:
    """A trace of a retrieval, where there are documents, and an answer."""
    answering = llm(answer, question, system=system)
    return trace(retrieval(*documents), answering) if documents else trace(answering)


def scores(scorer: Scorer, subject: Trace) -> dict[str, Score]:
    """The scores of one scorer by metric, the last one where there are several."""
    return {s.metric: s for s in scorer.score(subject)}


def value(scorer: Scorer, subject: Trace, metric: str = "") -> float:
    """The value of one metric; the scorer's only one when none is named."""
    found = scores(scorer, subject)
    assert found, f"{scorer.name} says nothing"
    return found[metric or next(iter(found))].value
