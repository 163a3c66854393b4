"""`Trace`: the calls of one request together, and the exchange with the user that can be read off them."""

import re
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

import msgspec

from holdfast.core.call import Call, Dimensions, Document, Kind, Message
from holdfast.core.score import Failed, Score

_Value = TypeVar("_Value")

REWORKING = frozenset({Kind.TASK, Kind.WORKFLOW, Kind.AGENT, Kind.GUARDRAIL, Kind.OTHER})
"""Steps that may change an answer on its way to the user."""
ALIKE = 0.3
"""Share of words, of the longer of two texts, from which one was made of the other: a verdict or a title was not."""
_READ = 20_000
_BEGINNING = 20
_WORD = re.compile(r"\w+")


class _kept(Generic[_Value]):  # noqa: N801 - it is used as a decorator
    """A value that is worked out when it is first asked for, and then stands in the object's own dictionary.

    `functools.cached_property` of Python 3.11 takes a lock for each first look, which costs more than most of these values.
    """

    def __init__(self, compute: Callable[[Any], _Value]) -> None:
        self._compute, self._name, self.__doc__ = compute, compute.__name__, compute.__doc__

    @overload
    def __get__(self, one: None, owner: type) -> "_kept[_Value]": ...
    @overload
    def __get__(self, one: object, owner: type | None = None) -> _Value: ...
    def __get__(self, one: object | None, owner: type | None = None) -> "_kept[_Value] | _Value":
        if one is None:
            return self
        value = one.__dict__[self._name] = self._compute(one)
        return value


class Trace:
    """All calls known of one trace, in order of start.

    Every call carries the dimensions of the whole trace (its own values first), so that a bad answer can be
    found by the tool or the document source that a sibling span reported.
    """

    def __init__(self, trace_id: str, calls: tuple[Call, ...]) -> None:
        """`calls` must not be empty."""
        self.trace_id = trace_id
        self.calls = tuple(sorted(calls, key=lambda c: (c.start_ns, -c.end_ns)))

    @_kept
    def root(self) -> Call:
        """The call without a known parent; the longest one where there are several."""
        known = {c.span_id for c in self.calls}
        tops = [c for c in self.calls if c.parent_span_id not in known]
        return max(tops or self.calls, key=lambda c: (not c.parent_span_id, c.end_ns - c.start_ns))

    @property
    def dimensions(self) -> Dimensions:
        """Dimensions of the request as a whole."""
        return self.root.dimensions

    @property
    def service(self) -> str:
        """The application."""
        return self.root.service

    @property
    def addendum(self) -> bool:
        """Whether it only adds to a call of an earlier trace what was said of that later: a late score, feedback. No request."""
        return len(self.calls) == 1 and self.calls[0].kind is Kind.EVALUATION and bool(self.calls[0].parent_span_id)

    @property
    def start_ns(self) -> int:
        """When the request began."""
        return min(c.start_ns for c in self.calls)

    @property
    def end_ns(self) -> int:
        """When its last call ended."""
        return max(c.end_ns for c in self.calls)

    def of_kind(self, *kinds: Kind) -> tuple[Call, ...]:
        """The calls of these kinds, in order of start."""
        return tuple(c for c in self.calls if c.kind in kinds)

    @_kept
    def llm_calls(self) -> tuple[Call, ...]:
        """The model calls."""
        return self.of_kind(Kind.LLM)

    @_kept
    def answering(self) -> Call | None:
        """The model call whose text answers the user: the last one with text in its output; else the last model call."""
        for call in reversed(self.llm_calls):
            if call.answer:
                return call
        return self.llm_calls[-1] if self.llm_calls else None

    @_kept
    def question(self) -> str:
        """What the user asked: the last user message of the first model call, else the root's input."""
        for call in self.llm_calls:
            for message in reversed(call.input_messages):
                if message.role in ("user", "human") and message.content:
                    return message.content
        return self.root.input_text or next((c.input_text for c in self.calls if c.input_text), "")

    @_kept
    def model_answer(self) -> str:
        """What the model wrote last."""
        return self.answering.answer if self.answering else ""

    @_kept
    def delivering(self) -> Call | None:
        """The call whose output the user was shown: the root where it tells one, else the outermost agent or workflow that does.

        Of several at the same depth the one that ended last. What a later step made of that answer, or of the model's own, takes
        its place: a step that was given that text and gave a text back that is still like it. None where only the model's own
        call tells.
        """
        if self.root.answer:
            return self.root
        telling = [c for c in self.calls if c.kind in (Kind.AGENT, Kind.WORKFLOW) and c.answer]
        found = min(telling, key=lambda c: (self._depth(c), -c.end_ns), default=None)
        return self._reworked(found or self.answering) or found

    def _reworked(self, told: Call | None) -> Call | None:
        """The last of the steps that took the answer of `told`, one after the other, and changed or passed it on."""
        found = None
        for step in self.calls:
            if told is None or step.kind not in REWORKING or not step.output_text or not step.input_text:
                continue
            text, taken = told.answer.strip(), step.input_text.strip()
            took = bool(text) and (text == taken or (len(text) >= _BEGINNING and text in taken))
            if took and step is not told and step.end_ns >= told.end_ns and _alike(text, step.output_text):
                found = told = step
        return found

    def _depth(self, call: Call) -> int:
        """Calls above this one. Spans come from outside: a circle of parents ends after as many steps as there are calls."""
        by_id = {c.span_id: c for c in self.calls}
        depth, above = 0, by_id.get(call.parent_span_id)
        while above is not None and depth < len(self.calls):
            depth, above = depth + 1, by_id.get(above.parent_span_id)
        return depth

    @_kept
    def delivered_answer(self) -> str:
        """What the user was shown, else what the model wrote."""
        return self.delivering.answer if self.delivering else self.model_answer

    @_kept
    def documents(self) -> tuple[Document, ...]:
        """Every retrieved document."""
        return tuple(d for c in self.calls for d in c.documents)

    @_kept
    def system_prompt(self) -> str:
        """System instructions of the answering call."""
        call = self.answering
        if call is None:
            return ""
        return call.system_instructions or "\n".join(m.content for m in call.input_messages if m.role in ("system", "developer"))

    @_kept
    def history(self) -> tuple[Message, ...]:
        """Messages that the answering call was given, system messages left out."""
        if self.answering is None:
            return ()
        return tuple(m for m in self.answering.input_messages if m.role not in ("system", "developer"))


def _alike(before: str, after: str) -> bool:
    """Whether `after` may be delivered in place of `before`: it begins like that, or shares enough words."""
    if len(after) >= _BEGINNING and before.startswith(after.strip()):
        return True
    old, new = (frozenset(_WORD.findall(text[:_READ].lower())) for text in (before, after))
    return len(old & new) >= ALIKE * max(len(old), len(new), 1)


class ScoredTrace(msgspec.Struct, frozen=True):
    """A trace with all that the scorers said of it."""

    trace: Trace
    scores: tuple[Score, ...]
    failures: tuple[Failed, ...] = ()
