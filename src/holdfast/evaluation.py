"""Scores labelled rows with the shipped scorers, and says how good they are."""

import gzip
import io
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from holdfast.core.call import Call, Document, Kind, Message, ToolCall
from holdfast.core.errors import InputError
from holdfast.core.score import Metric
from holdfast.core.trace import Trace
from holdfast.evaluation_figures import auprc, auroc, counted, reliability
from holdfast.evaluation_spans import joined, spans_found
from holdfast.score.agent_failure import agent_failure
from holdfast.score.attack import Attack
from holdfast.score.groundedness import UNGROUNDED
from holdfast.score.grounding import Grounding
from holdfast.score.injection import DOCUMENT_INJECTION, PROMPT_INJECTION
from holdfast.score.operating_points import THRESHOLDS
from holdfast.score.personal import personal_spans
from holdfast.score.protocol import Scorer
from holdfast.score.safety import ALWAYS, Safety
from holdfast.score.toxicity import TOXICITY
from holdfast.score.unsafe import UNSAFE_OUTPUT, UNSAFE_REQUEST

TRACE, ROOT, STEP, FOUND = "e" * 32, "1" * 16, "2" * 16, "3" * 16
MAX_LINE = 16_000_000


class Row(msgspec.Struct):
    """One line of a labelled file. Which texts a row needs depends on the task."""

    label: int | bool
    id: str | int = ""
    text: str | None = None
    prompt: str | None = None
    context: str | None = None
    response: str | None = None
    messages: list[dict[str, Any]] | None = None
    label_detail: Any = None


class Judged(msgspec.Struct):
    """What was said of one row: a probability, or None where the scorer did not apply; spans for `pii`."""

    score: float | None
    spans: list[tuple[int, int, str]] = []


class Outcome(msgspec.Struct):
    """A whole file judged: one member a row, in order. `latency_us` is the time of judging alone.

    `found` and `truth` are the spans of `pii`, joined as `evaluation_spans` says.
    """

    ids: list[str | int]
    labels: list[int]
    judged: list[Judged]
    found: list[list[tuple[int, int, str]]]
    truth: list[list[tuple[int, int, str]]]
    latency_us: list[float]


def read(path: Path) -> Iterator[tuple[str, Row]]:
    """Place (file:line) and row of every line that is not blank; `.gz` is unpacked.

    Raises:
        InputError: no such file, no row in it, or a line that is none; names file and line.
    """
    number = count = 0
    try:
        with path.open("rb") as raw:
            for number, line in enumerate(_lines(raw, path), 1):
                if line.strip():
                    count += 1
                    yield f"{path}:{number}", _row(line, f"{path}:{number}")
    except (OSError, EOFError, zlib.error) as error:
        where = f"{path}:{number + 1}" if number else str(path)
        raise InputError(f"cannot be read: {error}", where) from error
    if not count:
        raise InputError("has no rows", str(path))


def _lines(raw: BinaryIO, path: Path) -> Iterator[bytes]:
    stream = io.BufferedReader(gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise InputError(f"line is longer than {MAX_LINE} bytes", f"{path}:{number}")
        yield line


_DECODER = msgspec.json.Decoder(Row, strict=False)


def _row(line: bytes, where: str) -> Row:
    try:
        row = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"is no labelled row: {error}", where) from error
    if row.label not in (0, 1):
        raise InputError(f"label must be 0 or 1, not {row.label}", where)
    return row


def evaluate(task: str, rows: Iterator[tuple[str, Row]], on_row: Callable[[int], None] | None = None) -> Outcome:
    """Judge every row.

    Raises:
        InputError: no such task; or a row lacks what the task needs: names file and line.
    """
    if task not in TASKS:
        raise InputError(f"no task named {task}: one of {', '.join(TASKS)}")
    judge, needs = TASKS[task]
    outcome = Outcome([], [], [], [], [], [])
    for where, row in rows:
        if all(getattr(row, name) is None for name in needs):
            raise InputError(f"task {task} needs {' or '.join(needs)}", where)
        started = time.perf_counter_ns()
        judged = judge(row)
        outcome.latency_us.append((time.perf_counter_ns() - started) / 1e3)
        outcome.ids.append(row.id)
        outcome.labels.append(int(row.label))
        outcome.judged.append(judged)
        if task == "pii":
            outcome.found.append(joined(row.text or "", judged.spans))
            outcome.truth.append(joined(row.text or "", _spans(row, where)))
        if on_row:
            on_row(len(outcome.ids))
    return outcome


def _of(scorer: Scorer, metric: Metric, calls: tuple[Call, ...]) -> Judged:
    scores = [s.value for s in scorer.score(Trace(TRACE, calls)) if s.metric == metric.name]
    return Judged(max(scores) if scores else None)


def _asked(prompt: str, answer: str = "") -> Call:
    messages = (Message("user", prompt),) if prompt else ()
    return Call(
        trace_id=TRACE,
        span_id=ROOT,
        kind=Kind.LLM,
        start_ns=1,
        end_ns=2,
        input_messages=messages,
        output_messages=(Message("assistant", answer),) if answer else (),
    )


def _retrieved(context: str) -> Call:
    return Call(trace_id=TRACE, span_id=FOUND, parent_span_id=ROOT, kind=Kind.RETRIEVAL, documents=(Document(context),))


_INJECTION = Attack(unsure=ALWAYS, unsure_document=ALWAYS)
_SAFETY = Safety(unsure_toxicity=ALWAYS, unsure_request=ALWAYS, unsure_output=ALWAYS)
_GROUNDING = Grounding(unsure=ALWAYS)
# Every row is shown to the encoder: the figures are of second opinions, which the pipeline asks for where the first is unsure.


def _injection(row: Row) -> Judged:
    """Of the context where there is one, with the prompt as the user's question; else of the text."""
    if row.context is not None:
        return _of(_INJECTION, DOCUMENT_INJECTION, (_asked(row.prompt or ""), _retrieved(row.context)))
    text = row.text if row.text is not None else row.prompt
    return _of(_INJECTION, PROMPT_INJECTION, (_asked(text or ""),))


def _request(row: Row) -> Judged:
    return _of(_SAFETY, UNSAFE_REQUEST, (_asked(row.text or row.prompt or ""),))


def _output(row: Row) -> Judged:
    return _of(_SAFETY, UNSAFE_OUTPUT, (_asked(row.prompt or "", row.response or row.text or ""),))


def _toxicity(row: Row) -> Judged:
    return _of(_SAFETY, TOXICITY, (_asked("", row.text or row.response or ""),))


def _faithfulness(row: Row) -> Judged:
    calls = (_asked(row.prompt or "", row.response or ""),)
    return _of(_GROUNDING, UNGROUNDED, calls + ((_retrieved(row.context),) if row.context else ()))


def _pii(row: Row) -> Judged:
    spans = personal_spans(row.text or "")
    return Judged(float(bool(spans)), spans)


def _agent(row: Row) -> Judged:
    return Judged(agent_failure(trace_of(row.messages or [])))


Judge = Callable[[Row], Judged]
Task = tuple[Judge, tuple[str, ...]]
TASKS: dict[str, Task] = {
    "injection": (_injection, ("text", "context", "prompt")),
    "overblock": (_request, ("text", "prompt")),
    "unsafe_prompt": (_request, ("text", "prompt")),
    "unsafe_output": (_output, ("response", "text")),
    "toxicity": (_toxicity, ("text", "response")),
    "faithfulness": (_faithfulness, ("response",)),
    "pii": (_pii, ("text",)),
    "agent_trace_failure": (_agent, ("messages",)),
}
"""Task → what judges a row, and the fields of which it needs one."""


def trace_of(messages: Sequence[dict[str, Any]]) -> Trace:
    """A trace of a conversation in the OpenAI message format: one model call a turn, one tool call a result."""
    calls: list[Call] = []
    history: list[Message] = []
    requested: dict[str, ToolCall] = {}
    for number, raw in enumerate(messages, 1):
        message = _message(raw)
        if message.role == "assistant":
            calls.append(_step(number, Kind.LLM, input_messages=tuple(history[-200:]), output_messages=(message,)))
            requested |= {call.id: call for call in message.tool_calls}
        elif message.role in ("tool", "function"):
            asked = requested.get(message.tool_call_id)
            name, arguments = (asked.name, asked.arguments) if asked else (message.name, "")
            calls.append(_step(number, Kind.TOOL, tool_name=name, tool_arguments=arguments, tool_result=message.content))
        history.append(message)
    if not calls or history[-1].role not in ("assistant", "tool", "function"):
        calls.append(_step(len(history) + 1, Kind.LLM, input_messages=tuple(history[-200:])))
    return Trace(TRACE, tuple(calls))


def _step(number: int, kind: Kind, **fields: Any) -> Call:
    return Call(trace_id=TRACE, span_id=f"{number:016x}", kind=kind, start_ns=number, end_ns=number + 1, **fields)


def _message(raw: dict[str, Any]) -> Message:
    """A message read tolerantly: what is no text counts as none."""
    content = raw.get("content")
    if isinstance(content, list):
        content = "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    calls = raw.get("tool_calls")
    return Message(
        role=str(raw.get("role", "")),
        content=content if isinstance(content, str) else "",
        tool_calls=tuple(_tool_call(c) for c in calls if isinstance(c, dict)) if isinstance(calls, list) else (),
        tool_call_id=str(raw.get("tool_call_id") or ""),
        name=str(raw.get("name") or ""),
    )


def _tool_call(raw: dict[str, Any]) -> ToolCall:
    function = raw.get("function")
    told = function if isinstance(function, dict) else raw
    arguments = told.get("arguments", "")
    text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
    return ToolCall(str(told.get("name", "")), text, str(raw.get("id") or ""))


def _spans(row: Row, where: str) -> list[tuple[int, int, str]]:
    """Labelled spans: `label_detail.spans` of [start, end] or [start, end, type].

    Raises:
        InputError: they are something else.
    """
    detail = row.label_detail
    listed = detail.get("spans", []) if isinstance(detail, dict) else []
    try:
        return [(int(s[0]), int(s[1]), str(s[2]) if len(s) > 2 else "") for s in listed]
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise InputError("label_detail.spans must be a list of [start, end, type]", where) from error


def report(task: str, outcome: Outcome, predictions: bool = False) -> dict[str, Any]:
    """The document that `holdfast eval --json` prints: figures in [0, 1], None where undefined."""
    threshold = THRESHOLDS[task]
    labels = np.array(outcome.labels, dtype=np.int64)
    scores = np.array([0.0 if j.score is None else j.score for j in outcome.judged])
    said = (scores >= threshold).astype(np.int64)
    found: dict[str, Any] = {"task": task, "rows": len(labels), "threshold": threshold}
    found |= counted(labels, said)
    found |= {"auroc": auroc(labels, scores), "auprc": auprc(labels, scores)}
    found["latency_us"] = {
        "p50": round(float(np.percentile(outcome.latency_us, 50)), 1),
        "p99": round(float(np.percentile(outcome.latency_us, 99)), 1),
    }
    found["not_applicable"] = sum(j.score is None for j in outcome.judged)
    found["reliability"] = reliability(labels, scores)
    if task == "pii":
        found |= spans_found(outcome.found, outcome.truth)
    if predictions:
        rows = zip(outcome.ids, outcome.judged, said.tolist(), strict=True)
        found["predictions"] = [{"id": i, "score": j.score, "label": s} | _told(task, j) for i, j, s in rows]
    return found


def _told(task: str, judged: Judged) -> dict[str, Any]:
    return {"spans": [list(s) for s in judged.spans]} if task == "pii" else {}
