"""What the user asked and was shown, where a framework wrapped it."""

import re
from typing import Any

import orjson

from holdfast.core.trace import Trace

ANSWER_KEYS = ("answer", "output", "response", "content", "text", "result", "message", "reply", "completion", "generation")
MAX_LEAVES = 200
_LABEL = re.compile(
    r"(?im)^\W{0,3}(?:user |customer )?(?:question|query|frage|pregunta|domanda|pergunta|vraag|request|input)\W{0,3}:\s*"
)


def told_answer(trace: Trace) -> str:
    """The delivered answer as text.

    The output of the root, or of the outermost agent, may be a JSON object that carries the answer among other things: the
    leaf that equals the model's answer, else the one under a name such as `answer`, is taken. JSON in which no answer can be
    found is no delivered answer.
    """
    model, delivered = trace.model_answer, trace.delivered_answer
    if delivered is model or delivered == model or delivered.lstrip()[:1] not in ("{", "["):
        return delivered
    if trace.delivering is trace.answering or model.lstrip()[:1] in ("{", "["):
        return delivered
    try:
        value = orjson.loads(delivered)
    except orjson.JSONDecodeError:
        return delivered
    named: list[str] = []
    for key, leaf in _leaves(value):
        if leaf == model and model:
            return leaf
        if key in ANSWER_KEYS:
            named.append(leaf)
    return max(named, key=len) if named else model or delivered


def asked_question(trace: Trace) -> str:
    """The user's own words: without the documents, tool results and labels that a prompt template puts around them.

    The root's input is taken where the prompt contains it; else what follows the last label such as ``Question:`` once all
    evidence has been cut out.
    """
    text = trace.question
    own = trace.root.input_text
    if own and len(own) < len(text) and own[:1] not in "{[" and own in text:
        return own
    pieces = [d.content for d in trace.documents if d.content] + [c.tool_result for c in trace.calls if c.tool_result]
    bare = without_evidence(text, pieces)
    if bare is text:
        return text
    labels = list(_LABEL.finditer(bare))
    rest = bare[labels[-1].end() :].strip() if labels else ""
    return rest or "\n".join(line for line in bare.splitlines() if line.strip())


def without_evidence(text: str, pieces: list[str]) -> str:
    """`text` without the documents and tool results that it repeats; `text` itself when it repeats none."""
    for piece in pieces:
        if piece and len(piece) < len(text) and piece in text:
            text = text.replace(piece, "\n")
    return text


def _leaves(value: Any) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    pending: list[tuple[str, Any]] = [("", value)]
    while pending and len(found) < MAX_LEAVES:
        key, item = pending.pop()
        if isinstance(item, str):
            found.append((key, item))
        elif isinstance(item, dict):
            pending += [(str(k).lower(), v) for k, v in reversed(item.items())]
        elif isinstance(item, list):
            pending += [(key, v) for v in reversed(item[:MAX_LEAVES])]
    return found
