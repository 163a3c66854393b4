"""Faults of what the model is told."""

from holdfast.core.diagnosis import Layer
from holdfast.diagnose.catalogue.hypothesis import Hypothesis

_REVERT = "revert the prompt of {suspect} to its last good version"
_FLAG = "turn the flag back to the variant that was served before for {suspect}"


def _fault(fault: str, means: str, moves: str, cohort: str = "", changes: str = "", weight: float = 1.0) -> Hypothesis:
    return Hypothesis(
        fault,
        Layer.PROMPT_ENGINEERING,
        moves,
        cohort or "prompt.version:7 route:2 none:1.5",
        changes or "prompt:9 flag:.7 code:.7 config:.5 none:.7",
        _FLAG if fault == "wrong_variant_served" else _REVERT,
        means,
        weight,
    )


PROMPT_ENGINEERING = (
    _fault(
        "grounding_rule_dropped",
        "a prompt that no longer binds the answer to its context",
        "grounding:++ numbers:+ refusal:- relevance:~ answer_length:~ drift:+ confidence:~ input_length:~",
        weight=1.8,
    ),
    _fault(
        "format_instruction_lost", "a prompt that no longer asks for the format", "format:++ answer_length:~ drift:+", weight=1.4
    ),
    _fault(
        "template_variable_unsubstituted",
        "a template variable that is no longer filled",
        "template:++ relevance:+ context_gap:~ refusal:~ grounding:~ retrieval_match:~",
        weight=1.2,
    ),
    _fault(
        "few_shot_contamination",
        "examples in the prompt that leak into answers",
        "relevance:+ grounding:+ duplicates:+ drift:+ numbers:+ input_length:~ repetition:~",
    ),
    _fault(
        "over_restrictive_wording",
        "a prompt so cautious that harmless requests are refused",
        "duplicates:+ refusal:++ answer_length:- relevance:~ drift:+",
        weight=1.4,
    ),
    _fault(
        "context_truncated",
        "a prompt that drops part of the context",
        "grounding:+ numbers:+ input_length:- refusal:+ context_gap:+ long_inputs:+ relevance:~",
        changes="prompt:8 code:2 config:1.5 none:.7",
    ),
    _fault(
        "history_bleed",
        "turns of an earlier conversation in the prompt",
        "relevance:+ repetition:+ duplicates:~ input_length:+ grounding:+ drift:+ cost:~",
        changes="prompt:7 code:2.5 config:1 none:.8",
    ),
    _fault(
        "locale_prompt_missing",
        "a language without its prompt",
        "language:++ drift:~ relevance:~",
        "language:7 prompt.version:5 route:1 region:1 none:.5",
    ),
    _fault(
        "system_prompt_leak",
        "a prompt that is given away in answers",
        "prompt_leak:++ answer_length:~ relevance:~ drift:~ injection:~ attacks:~",
        "prompt.version:6 route:2 none:2 user:.5 tenant:.5",
    ),
    _fault(
        "wrong_variant_served",
        "users who get the wrong variant of an experiment",
        "drift:+ relevance:~ answer_length:+- format:~ grounding:~ language:~ refusal:~",
        "prompt.version:6 route:2 tenant:1.5 none:1.5",
        changes="flag:7 prompt:3.5 config:1 none:.8",
    ),
)
