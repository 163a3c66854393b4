from holdfast.core.call import Document
from holdfast.drills.encode.documents import as_object, metadata_of


def test_a_document_tells_source_age_and_what_the_store_keeps() -> None:
    document = Document("text", "id", "returns", 0.5, 1_790_000_000_000_000_000, {"tenant": "alder"})
    assert metadata_of(document) == {"source": "returns", "tenant": "alder", "updated_at": "2026-09-21T14:13:20+00:00"}
    assert as_object(document)["score"] == 0.5


def test_a_document_of_unknown_age_does_not_pretend() -> None:
    assert "updated_at" not in metadata_of(Document("text"))
