"""`Reading`: what several scorers need of one trace, worked out once."""

import re
from functools import lru_cache

from holdfast.core.call import Call, Document, Kind
from holdfast.core.trace import Trace
from holdfast.score.delivered import asked_question, told_answer, without_evidence
from holdfast.score.pieces import Piece, piece_of
from holdfast.score.stated import stated
from holdfast.score.text import CAP, capped
from holdfast.score.words import STOPWORDS

MAX_PIECES = 200
"""Documents, tool results or messages of one trace that are read."""
MIN_CONTEXT = 150
TOGETHER = 64
"""Traces that go through one scorer after the other: enough for that to pay, few enough for their texts to stay in the cache."""

_CONTEXT = re.compile(
    r"(?im)^\W{0,4}(?:context|documents?|sources?|passages?|knowledge|retrieved \w+|kontext|dokumente|contexte"
    r"|contexto|contesto)\b[^\n:>]{0,40}[:>]\s*"
)


class Reading:
    """The exchange of a trace as capped texts and words. Get one from `reading_of`."""

    __slots__ = (
        "_background",
        "_evidence",
        "_stated",
        "anchor",
        "answer",
        "answer_content",
        "answer_piece",
        "documents",
        "model_answer",
        "question",
        "question_content",
        "question_piece",
        "system",
        "tool_calls",
        "tool_results",
        "trace",
    )

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.anchor: Call = trace.answering or trace.root
        """The call that answer-level scores are about."""
        self.question: str = capped(asked_question(trace))
        """What the user asked, in the user's own words."""
        self.answer: str = capped(told_answer(trace))
        """What the user was shown, taken out of the JSON that a framework may have wrapped it in."""
        self.model_answer: str = capped(trace.model_answer)
        """What the model wrote."""
        self.system: str = capped(trace.system_prompt)
        """System instructions of the answering call."""
        self.documents: tuple[Document, ...] = tuple([d for d in trace.documents if d.content][:MAX_PIECES])
        """Retrieved documents that have text."""
        self.tool_calls: tuple[Call, ...] = trace.of_kind(Kind.TOOL)[:MAX_PIECES]
        """The tool calls."""
        self.tool_results: tuple[str, ...] = self._tool_results()
        """What tools gave back: tool spans, else tool messages."""
        self.question_piece = Piece(self.question)
        self.answer_piece = Piece(self.answer)
        self.question_content: frozenset[str] = self.question_piece.kinds - STOPWORDS
        """Words of the question that say what it is about."""
        self.answer_content: frozenset[str] = self.answer_piece.kinds - STOPWORDS
        """Words of the answer that say what it is about."""
        self._evidence: tuple[Piece, ...] | None = None
        self._stated: Piece | None = None
        self._background: tuple[Piece, ...] | None = None

    def _tool_results(self) -> tuple[str, ...]:
        told = tuple([capped(c.tool_result) for c in self.tool_calls if c.tool_result])
        return told or tuple([capped(m.content) for m in self.trace.history if m.role == "tool" and m.content][:MAX_PIECES])

    @property
    def stated(self) -> Piece:
        """What the answer states: itself with blanks in place of marks of citations and of courtesies, offset for offset."""
        if self._stated is None:
            text = stated(self.answer)
            self._stated = self.answer_piece if text == self.answer else Piece(text)
        return self._stated

    @property
    def evidence(self) -> tuple[Piece, ...]:
        """What an answer may rest on: documents and tool results, else a context that the prompt itself contains."""
        if self._evidence is None:
            texts = [*(capped(d.content) for d in self.documents), *self.tool_results] or self._context_in_prompt()
            self._evidence = tuple([piece_of(text) for text in texts])
        return self._evidence

    @property
    def document_pieces(self) -> tuple[Piece, ...]:
        """The documents among the evidence."""
        return self.evidence[: len(self.documents)]

    def _context_in_prompt(self) -> list[str]:
        for text in (self.system, *(capped(m.content) for m in reversed(self.trace.history) if m.role in ("user", "human"))):
            label = _CONTEXT.search(text) if len(text) > MIN_CONTEXT else None
            if label:
                context = text[label.end() :].replace(self.question, " ") if self.question else text[label.end() :]
                if len(context) >= MIN_CONTEXT:
                    return [context]
        return []

    @property
    def background(self) -> tuple[Piece, ...]:
        """What else the model was told: system prompt, question and history, without the evidence that they repeat."""
        if self._background is None:
            earlier = [capped(m.content) for m in self.trace.history[-MAX_PIECES:] if m.content and m.role != "tool"]
            # Without question and evidence, what is left of a prompt is its template: the same in every request.
            known = [*(p.text for p in self.evidence), self.question]
            told = [self.system, *(without_evidence(text, known) for text in earlier if text != self.question)]
            self._background = (self.question_piece, *[piece_of(text) for text in dict.fromkeys(told) if text])
        return self._background

    @property
    def cut(self) -> str:
        """A note when a text was too long to be read whole, else empty."""
        trace = self.trace
        longest = max(len(trace.question), len(trace.delivered_answer), len(trace.system_prompt))
        return f" (first {CAP} characters read)" if longest > CAP else ""


@lru_cache(maxsize=TOGETHER + 4)
def reading_of(trace: Trace) -> Reading:
    """The reading of `trace`, made once while its scorers run: the last few are kept, by identity of the trace."""
    return Reading(trace)
