"""Output processing: what happened to the answer after the model wrote it."""

from holdfast.diagnose.evidence.composite import Composite, Derived, presence

COMPOSITES = (
    Composite(
        "altered",
        "The delivered answer differs from the model's",
        "The delivered answer differs less often from the model's",
        ("answer_altered",),
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
