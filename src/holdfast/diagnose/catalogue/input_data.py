"""Faults of what goes in: documents, indexes, users."""

from holdfast.core.diagnosis import Layer
from holdfast.diagnose.catalogue.hypothesis import Hypothesis


def _fault(fault: str, means: str, moves: str, where: tuple[str, str], action: str, weight: float = 1.0) -> Hypothesis:
    return Hypothesis(fault, Layer.INPUT_DATA, moves, where[0], where[1], action, means, weight)


_REBUILD = "roll the index back to its last good version for {suspect}"
_SOURCE = "quarantine the document source of {suspect}"

INPUT_DATA = (
    _fault(
        "stale_index",
        "an index that is no longer refreshed",
        "document_age:++ feedback:+ grounding:~ numbers:~ tool_contradiction:~",
        ("index.version:2 document.source:3 none:3 route:2", "index:3 data:2 config:1 code:1 none:5"),
        "refresh the index behind {suspect}, or quarantine the outdated source",
        1.2,
    ),
    _fault(
        "wrong_embedder",
        "an index built with another embedder than the queries",
        "retrieval_match:++ context_gap:+ relevance:+ grounding:+ duplicates:+ refusal:+ numbers:~ retrieval_empty:~ drift:+",
        ("index.version:6 none:2 route:2", "index:8 config:1 code:1 model:.5 none:1"),
        _REBUILD,
        1.2,
    ),
    _fault(
        "partial_index",
        "an index with a part missing",
        "retrieval_empty:++ retrieval_match:+ context_gap:+ duplicates:+ refusal:+ grounding:~ relevance:~",
        ("index.version:4 document.source:2 route:2 none:2", "index:7 data:2 config:.5 none:1.5"),
        _REBUILD,
        1.2,
    ),
    _fault(
        "corrupted_document",
        "a document whose facts were altered",
        "numbers:+ grounding:+ tool_contradiction:~ document_age:~ feedback:+ document_duplicates:~",
        ("document.source:8 index.version:1 none:1 route:.5", "data:6 index:2 none:3"),
        _SOURCE,
        1.2,
    ),
    _fault(
        "poisoned_document",
        "a document that carries instructions",
        "document_injection:++ markup:+ relevance:+ grounding:+ sensitive:~ toxicity:~ prompt_leak:~ tool_arguments:~ drift:+",
        ("document.source:8 index.version:1 none:1 route:.5", "data:5 index:2 none:4"),
        _SOURCE,
        1.2,
    ),
    _fault(
        "chunking_change",
        "documents cut into pieces too small or too large",
        "context_gap:+ grounding:+ retrieval_match:+- input_length:+- relevance:~ numbers:~ refusal:~ cost:~ truncation:~",
        ("index.version:6 none:2 route:2", "index:8 config:2 code:1 none:1"),
        _REBUILD,
    ),
    _fault(
        "duplicate_flood",
        "an index flooded with copies of the same text",
        "document_duplicates:++ context_gap:+ relevance:~ duplicates:+ grounding:~ retrieval_match:~",
        ("index.version:4 document.source:3 none:2 route:2", "index:5 data:4 none:2"),
        "quarantine the duplicated source of {suspect}, then rebuild the index without copies",
    ),
    _fault(
        "wrong_tenant_documents",
        "an access rule that lets one tenant's documents into another's answers",
        "foreign_documents:++ sensitive:+ context_gap:~ relevance:~ retrieval_match:~",
        ("index.version:3 tenant:4 none:2 document.source:1 route:1", "index:4 config:3 code:3 data:1 none:1"),
        "stop serving {suspect} from the shared index until its access filter is back",
    ),
    _fault(
        "encoding_garbage",
        "documents damaged by a wrong encoding or text recognition",
        "document_garbled:++ garbled:+ retrieval_match:+ context_gap:+ grounding:+ language:~ relevance:~ numbers:~",
        ("document.source:6 index.version:3 none:1 language:1", "data:5 index:5 code:.5 none:2"),
        _SOURCE,
    ),
    _fault(
        "attack_campaign",
        "users who attack the application",
        "injection:++ attacks:+ concentration:+ refusal:+ block:+ prompt_leak:~ toxicity:~ relevance:+ volume:~ newcomers:~ "
        # What is refused is short.
        "secrets:~ answer_length:- drift:+ cost:~ model_speed:~ latency:~ context_gap:~",
        ("user:6 tenant:3 none:3 region:1 route:1", "none:12"),
        "throttle or block {attackers}, and nobody else",
        1.3,
    ),
    _fault(
        "out_of_scope_demand",
        "questions about something the application was not made for",
        "retrieval_match:++ retrieval_empty:+ context_gap:+ duplicates:+ refusal:+ relevance:~ volume:~ grounding:~ injection:~ "
        "newcomers:~",
        ("none:4 tenant:3 route:2 region:1 language:1 user:1", "none:12"),
        "answer the new topic with a static reply, and tell the owner that users ask for it",
    ),
    _fault(
        "upstream_field_change",
        "a field of an upstream record that went missing or changed its unit",
        "template:+ numbers:+ grounding:~ relevance:~ format:~ tool_contradiction:~ refusal:~",
        ("route:5 none:3 tenant:1 tool:1 document.source:1", "data:6 code:2 config:1 none:3"),
        "serve {suspect} from the last good snapshot of the upstream data",
    ),
)
