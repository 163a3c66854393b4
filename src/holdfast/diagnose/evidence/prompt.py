"""Prompt engineering: what the model was told, and whether it does what it was told."""

from holdfast.diagnose.evidence.composite import Composite

COMPOSITES = (
    Composite(
        "grounding",
        "Answers are not supported by their context",
        "Answers are better supported by their context",
        ("ungrounded_answer", "unsupported_entities"),
    ),
    Composite(
        "numbers",
        "Numbers in answers are not in their context",
        "More numbers in answers are in their context",
        ("unsupported_numbers",),
    ),
    Composite("relevance", "Answers miss the question", "Answers are closer to the question", ("answer_irrelevance",)),
    Composite("refusal", "Answers refuse", "Fewer answers refuse", ("refusal",)),
    Composite("format", "Answers break the requested format", "Fewer answers break the requested format", ("format_violation",)),
    Composite(
        "template",
        "Template variables reach the model unfilled",
        "Fewer template variables reach the model unfilled",
        ("unsubstituted_template",),
    ),
    Composite(
        "prompt_leak", "Answers give away the system prompt", "Fewer answers give away the system prompt", ("system_prompt_leak",)
    ),
    Composite(
        "language",
        "Answers come in another language than the question",
        "Fewer answers come in another language than the question",
        ("language_mismatch",),
    ),
    Composite("input_length", "Prompts are longer", "Prompts are shorter", ("input_tokens",)),
)
