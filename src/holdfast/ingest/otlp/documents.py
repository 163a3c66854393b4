"""Retrieved documents in every shape that retrievers and their instrumentations write."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from holdfast.core.call import Document
from holdfast.core.clock import from_iso
from holdfast.ingest.limits import MAX_DIMENSION_CHARS, MAX_LIST, MAX_TIME_NS
from holdfast.ingest.otlp.convert import json_text, real, structured
from holdfast.ingest.otlp.flattened import elements

_CONTENT = ("content", "text", "page_content", "pageContent", "chunk", "snippet", "passage", "body", "document")
_SCORE = ("score", "similarity", "similarity_score", "relevance_score", "relevance", "_score", "certainty")
_ID = ("id", "_id", "doc_id", "document_id", "chunk_id", "id_", "uuid")
_LISTS = (
    "documents",
    "results",
    "matches",
    "hits",
    "chunks",
    "source_documents",
    "retrieved_documents",
    "docs",
    "nodes",
    "points",
)
_WRAPPERS = ("output", "outputs", "result", "data", "context")
_METADATA = ("metadata", "payload", "meta", "entity", "attributes")
_UPDATED = (
    "updated_at",
    "last_modified",
    "last_updated",
    "updated",
    "modified_at",
    "modified",
    "timestamp",
    "date",
    "created_at",
)
_MAX_METADATA = 64
_MAX_NESTING = 6


def documents(value: Any) -> tuple[Document, ...] | None:
    """Documents of a value that is known to hold them; plain strings are documents too."""
    found: list[Document] = []
    for item in _items(structured(value) if isinstance(value, str) else value, 0):
        found += _document(item, 0)
        if len(found) >= MAX_LIST:
            break
    return tuple(found) or None


def certain_documents(value: Any) -> tuple[Document, ...] | None:
    """Documents only where the shape leaves no doubt: content together with a score or metadata, or a list named so."""
    parsed = structured(value)
    items = list(_items(parsed, 0)) if parsed is not None else []
    if not items or not all(_is_certain(item) for item in items):
        return None
    return documents(parsed)


def _is_certain(item: Any) -> bool:
    if isinstance(item, list):
        return len(item) == 2 and isinstance(item[0], dict) and real(item[1]) is not None
    if not isinstance(item, dict):
        return False
    if any(isinstance(item.get(key), dict) for key in ("document", "node", "kwargs")):
        return True
    return any(k in item for k in _CONTENT) and any(k in item for k in (*_SCORE, "distance", "metadata"))


def _items(value: Any, level: int) -> Iterator[Any]:
    """The documents in a list, an object that names its list, or Chroma's columns."""
    if level > _MAX_NESTING:
        return
    if isinstance(value, list):
        if value and all(isinstance(item, list) for item in value) and not any(_is_scored_pair(item) for item in value):
            for inner in value:
                yield from _items(inner, level + 1)
        else:
            yield from value
    elif isinstance(value, dict):
        yield from _in_object(value, level)


def _is_scored_pair(item: list[Any]) -> bool:
    return len(item) == 2 and not isinstance(item[1], str | list | dict) and real(item[1]) is not None


def _in_object(value: dict[str, Any], level: int) -> Iterator[Any]:
    if isinstance(value.get("documents"), list) and any(
        isinstance(value.get(k), list) for k in ("ids", "metadatas", "distances")
    ):
        yield from _columns(value)
        return
    numbered = elements(value)
    if numbered:
        yield from numbered
        return
    for key in (*_LISTS, *_WRAPPERS):
        inner = structured(value.get(key))
        if isinstance(inner, list) or (isinstance(inner, dict) and key in _WRAPPERS):
            yield from _items(inner, level + 1)
            return
    if any(k in value for k in (*_CONTENT, "kwargs", "node")):
        yield value


def _columns(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Chroma's answer: parallel lists, one more level for each query."""
    columns = {}
    for key in ("ids", "documents", "metadatas", "distances", "scores"):
        column = value.get(key)
        column = column if isinstance(column, list) else []
        columns[key] = [x for inner in column for x in inner] if column and all(isinstance(x, list) for x in column) else column
    for identity, content, metadata, distance, score in zip_longest(*columns.values()):
        yield {"id": identity, "content": content, "metadata": metadata, "distance": distance, "score": score}


def _document(item: Any, level: int) -> list[Document]:
    if isinstance(item, str):
        return [Document(content=item)] if item else []
    if isinstance(item, list):
        if not _is_scored_pair(item):
            return []
        inner = _document(item[0], level + 1) if level < _MAX_NESTING else []
        return [_rescored(document, real(item[1])) for document in inner]
    if not isinstance(item, dict) or level > _MAX_NESTING:
        return []
    for key in ("document", "node", "kwargs"):
        held = item.get(key)
        if isinstance(held, dict):
            score = score_of(item)
            inner = _document(held, level + 1)
            return inner if score is None else [_rescored(document, score) for document in inner]
    return [_plain(item)]


def _rescored(document: Document, score: float | None) -> Document:
    return Document(document.content, document.id, document.source, score, document.updated_ns, document.metadata)


def _plain(item: dict[str, Any]) -> Document:
    metadata = next((m for key in _METADATA if isinstance(m := structured(item.get(key)), dict)), {})
    content = next((item[key] for key in _CONTENT if item.get(key) not in (None, "")), None)
    if content is None:
        content = next((metadata[key] for key in _CONTENT if metadata.get(key) not in (None, "")), "")
    told = {**{k: item[k] for k in (*_UPDATED, "source", "distance", "tenant") if item.get(k) is not None}, **metadata}
    return Document(
        content=json_text(content),
        id=json_text(next((item[key] for key in _ID if item.get(key) not in (None, "")), "")),
        source=json_text(told.get("source") or "")[:MAX_DIMENSION_CHARS],
        score=score_of(item),
        updated_ns=updated_ns(told),
        metadata={str(k): json_text(v)[:MAX_DIMENSION_CHARS] for k, v in list(told.items())[:_MAX_METADATA] if k not in _CONTENT},
    )


def score_of(item: dict[str, Any]) -> float | None:
    """The retriever's score; a distance in [0, 1] as 1 − distance, since only there it is surely a bounded one."""
    for key in _SCORE:
        number = real(item.get(key))
        if number is not None:
            return number
    distance = real(item.get("distance"))
    return 1 - distance if distance is not None and 0 <= distance <= 1 else None


def updated_ns(metadata: dict[str, Any]) -> int | None:
    """When a document last changed: ISO 8601, or an epoch in s, ms, µs or ns, by its size."""
    for key in _UPDATED:
        value = metadata.get(key)
        if value in (None, ""):
            continue
        number = real(value)
        moment = _iso(str(value)) if number is None else _epoch(number)
        if moment is not None:
            return moment
    return None


def _iso(text: str) -> int | None:
    try:
        moment = from_iso(text.strip())
    except (ValueError, OverflowError):
        return None
    return moment if 0 < moment <= MAX_TIME_NS else None


_YEAR_2000_S = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
_YEAR_2262_S = MAX_TIME_NS // 10**9


def _epoch(number: float) -> int | None:
    for per_second in (1, 10**3, 10**6, 10**9):
        if _YEAR_2000_S * per_second <= number <= _YEAR_2262_S * per_second:
            return int(number) * (10**9 // per_second)
    return None
