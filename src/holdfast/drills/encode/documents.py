"""Retrieved documents as vector stores return them, for every convention."""

from datetime import UTC, datetime
from typing import Any

from holdfast.core.call import Document
from holdfast.core.clock import NS_PER_S


def metadata_of(document: Document) -> dict[str, Any]:
    """What the store keeps beside the text: source, date of the last change, and what else there is."""
    metadata: dict[str, Any] = {"source": document.source, **document.metadata}
    if document.updated_ns is not None:
        metadata["updated_at"] = datetime.fromtimestamp(document.updated_ns // NS_PER_S, tz=UTC).isoformat()
    return metadata


def as_object(document: Document) -> dict[str, Any]:
    """One document as a JSON object."""
    return {"id": document.id, "score": document.score, "content": document.content, "metadata": metadata_of(document)}
