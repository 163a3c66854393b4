"""Input data: what was retrieved, and what is wrong with it."""

from holdfast.diagnose.evidence.composite import Composite, Derived, presence

COMPOSITES = (
    Composite(
        "retrieval_match",
        "Retrieved documents match the question worse",
        "Retrieved documents match the question better",
        ("retrieval_dissimilarity",),
        ("retrieval_score",),
    ),
    Composite("retrieval_empty", "More retrievals return nothing", "Fewer retrievals return nothing", ("empty_retrieval",)),
    Composite(
        "document_injection",
        "Retrieved content carries instructions",
        "Less retrieved content carries instructions",
        ("document_injection",),
    ),
    Composite(
        "document_garbled", "Retrieved documents are garbled", "Fewer retrieved documents are garbled", ("garbled_document",)
    ),
    Composite("document_age", "Retrieved documents are older", "Retrieved documents are newer", ("stale_source",)),
    Composite(
        "document_duplicates",
        "Retrieved documents repeat each other",
        "Retrieved documents repeat each other less",
        ("duplicate_documents",),
    ),
    Composite(
        "foreign_documents",
        "Documents of another tenant are retrieved",
        "Fewer documents of another tenant are retrieved",
        ("foreign_tenant_document",),
    ),
    Composite(
        "context_gap", "The context does not hold what was asked", "The context holds more of what was asked", ("context_gap",)
    ),
    Derived("retrieval_presence", "Retrieval runs more or less often", presence("retrieval_dissimilarity")),
)
