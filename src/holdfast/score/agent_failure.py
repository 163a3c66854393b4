"""Whether the run of an agent failed, from deterministic checks of its steps: errors, repetition, loops, doubts, handing over."""

import re2

from holdfast.core.call import Kind, Message
from holdfast.core.score import Score
from holdfast.core.trace import Trace
from holdfast.score.text import capped, sigmoid
from holdfast.score.tools import Tools

_TOOLS = Tools()
MAX_MESSAGES = 500
_EXECUTION = re2.compile(
    r"(?i)exitcode: ?[1-9]|execution failed|Traceback \(most recent call last\)|\bSyntaxError\b|\bNameError\b"
)
_DOUBT = re2.compile(
    r"(?i)\b(?:simulated|mock(?:ed)? (?:data|results?)|placeholder|hypothetical|assum(?:e|ing|ption)|cannot access|unable to"
    r"|not (?:available|accessible)|could ?n[o']t find|no (?:results|data) (?:were |was )?found|due to limitations)\b"
)
_HANDED_OVER = re2.compile(r"(?i)transfer|escalat|hand_?(?:over|off)")
_CHANGES = re2.compile(
    r"(?i)(?:^|[_.-])(?:update|cancel|book|create|delete|modify|exchange|return|send|pay|transfer_money|set|write|remove)"
)
_FINISHED = re2.compile(r"(?i)\b(?:TERMINATE|###STOP###|final answer|task (?:is )?(?:complete|done)|thank)")

_DECLINED = re2.compile(r"(?i)\b(?:sorry|apologi[sz]e|apologies|unfortunately|regret)\b")

WEIGHTS = {
    "intercept": -0.3,
    "length": 0.6,
    "changes": 0.35,
    "errors": 0.2,
    "invalid": 0.8,
    "repeated": 0.4,
    "loop": 0.4,
    "execution": 1.0,
    "doubt": 0.6,
    "unfinished": 0.3,
    "handed_over": -0.9,
    "declined": -0.45,
}
"""Log-odds by feature: of what tau-bench airline runs show, near a logistic regression on them (AUROC 0.77 with whole tasks left
out); of the rest, set by hand. They order failures, they do not prove them."""


def agent_features(trace: Trace) -> dict[str, float]:
    """One number a check, each in about [0, 4]; names as in `WEIGHTS`."""
    scores = tuple(_TOOLS.score(trace))
    names = [c.tool_name for c in trace.of_kind(Kind.TOOL)]
    messages = _messages(trace)
    texts = [capped(m.content) for m in messages if m.content and m.role != "system"]
    return {
        "length": min(len(messages), 60) / 20.0,
        "changes": float(min(sum(bool(_CHANGES.search(n)) for n in names), 4)),
        "errors": float(min(_over(scores, "tool_error"), 3)),
        "invalid": float(min(_over(scores, "tool_arguments_invalid"), 2)),
        "repeated": float(min(_over(scores, "repeated_call"), 3)),
        "loop": max((s.value for s in scores if s.metric == "tool_loop"), default=0.0),
        "execution": float(min(sum(bool(_EXECUTION.search(t)) for t in texts), 2)),
        # An agent with tools that says what is not available is mostly right.
        "doubt": 0.0 if names else float(min(sum(bool(_DOUBT.search(t)) for t in texts[2:]), 3)),
        "unfinished": 0.0 if any(_FINISHED.search(t) for t in texts[-2:]) else 1.0,
        "handed_over": float(any(_HANDED_OVER.search(n) for n in names)),
        "declined": float(
            min(sum(bool(_DECLINED.search(capped(m.content))) for m in messages if m.role == "assistant" and names), 4)
        ),
    }


def agent_failure(trace: Trace) -> float:
    """Probability that the run failed: a logistic combination of `agent_features`."""
    found = agent_features(trace)
    return sigmoid(WEIGHTS["intercept"] + sum(WEIGHTS[name] * value for name, value in found.items()))


def _over(scores: tuple[Score, ...], metric: str) -> int:
    return sum(s.metric == metric and s.value >= 0.5 for s in scores)


def _messages(trace: Trace) -> list[Message]:
    """The conversation in order: what the last model call was given and what it said, and results that came after it."""
    last = trace.llm_calls[-1] if trace.llm_calls else None
    if last is None:
        return []
    later = [Message("tool", c.tool_result) for c in trace.of_kind(Kind.TOOL) if c.start_ns > last.start_ns]
    return [*last.input_messages, *last.output_messages, *later][-MAX_MESSAGES:]
