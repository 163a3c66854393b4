"""Output processing: what happened to the answer after the model wrote it."""

import numpy as np

from holdfast.diagnose.evidence.composite import Composite, Derived, Scene, move_step, presence
from holdfast.diagnose.frame import Column
from holdfast.diagnose.moves import Step, measured

EXCUSES = ("guardrail_block", "guardrail_error", "error", "own_error", "model_error", "tool_error", "timeout", "rate_limited")
"""Where one of these happened in a request, another answer than the model's is what was meant to be delivered."""
HAPPENED = 0.5


def tampered(scene: Scene) -> tuple[Step, str] | None:
    """How often a user gets another answer than the model's although no guard spoke and nothing failed."""
    frame, column = scene.frame, scene.frame.columns.get("answer_altered")
    if column is None or EXCUSES[0] not in frame.columns:
        return None
    excused = {
        frame.traces[call]
        for told in (frame.columns[name] for name in EXCUSES if name in frame.columns)
        for call in told.call[told.value >= HAPPENED].tolist()
    }
    odd = np.array([frame.traces[call] not in excused for call in column.call.tolist()], np.bool_)
    unexcused = Column(column.metric, column.call, column.time_ns, column.value * odd)
    return move_step(measured(frame, unexcused, None, scene.inside, scene.healthy))


COMPOSITES = (
    Composite(
        "altered",
        "The delivered answer differs from the model's",
        "The delivered answer differs less often from the model's",
        ("answer_altered",),
    ),
    Derived(
        "tampered", "No guard spoke and nothing failed, and yet another answer was delivered than the model's", tampered, EXCUSES
    ),
    Composite(
        "altered_arguments",
        "Tools get other arguments than the model wrote",
        "Tools get what the model wrote more often",
        ("tool_arguments_altered",),
    ),
    Composite(
        "citations",
        "Citations point at other documents",
        "Citations point at the wrong document less often",
        ("misplaced_citation",),
    ),
    Composite("garbled", "Answers are garbled", "Fewer answers are garbled", ("garbled_text",)),
    Composite("sensitive", "Answers contain sensitive data", "Fewer answers contain sensitive data", ("sensitive_output",)),
    Composite("markup", "Answers contain unsafe markup", "Fewer answers contain unsafe markup", ("unsafe_markup",)),
    Composite(
        "toxicity",
        "Answers are toxic or break policy",
        "Fewer answers are toxic or break policy",
        ("toxicity", "policy_violation"),
    ),
    Composite("block", "Guardrails block more", "Guardrails block less", ("guardrail_block",)),
    Composite("guard_error", "Guardrails fail", "Guardrails fail less", ("guardrail_error",)),
    Derived("guard_presence", "Guardrails report more or less often", presence("guardrail_block")),
)
