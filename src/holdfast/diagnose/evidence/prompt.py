"""Prompt engineering: what the model was told, and whether it does what it was told."""

from holdfast.diagnose.evidence.composite import Composite

COMPOSITES = (
    Composite("grounding", "Answers are not supported by their context", ("ungrounded_answer", "unsupported_entities")),
    Composite("numbers", "Numbers in answers are not in their context", ("unsupported_numbers",)),
    Composite("relevance", "Answers miss the question", ("answer_irrelevance",)),
    Composite("refusal", "Answers refuse", ("refusal",)),
    Composite("format", "Answers break the requested format", ("format_violation",)),
    Composite("template", "Template variables reach the model unfilled", ("unsubstituted_template",)),
    Composite("prompt_leak", "Answers give away the system prompt", ("system_prompt_leak",)),
    Composite("language", "Answers come in another language than the question", ("language_mismatch",)),
    Composite("input_length", "Prompts are longer", ("input_tokens",)),
)
