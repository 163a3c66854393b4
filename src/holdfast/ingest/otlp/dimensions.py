"""Where the dimensions of a call come from."""

from typing import Any

from holdfast.core.call import Dimensions, Document
from holdfast.ingest.limits import MAX_DIMENSION_CHARS, MAX_DIMENSION_VALUES
from holdfast.ingest.otlp.application import CONVERSATION, PROPERTIES, RESOURCE, properties
from holdfast.ingest.otlp.draft import Draft

SERVICE_UNKNOWN = "unknown_service"


def dimensions_of(draft: Draft, documents: tuple[Document, ...]) -> Dimensions:
    """All dimensions of one call, each value at most 256 characters and each dimension at most 32 values."""
    found = draft.found
    resource = draft.span.resource
    values = draft.dimensions
    _from_properties(draft, values)
    for name, dimension in RESOURCE.items():
        if resource.get(name) not in (None, "") and dimension not in values:
            values[dimension] = resource[name]
    dimensions: Dimensions = {"service.name": (service_of(resource),)}
    for dimension, value in values.items():
        if text := bounded(value):
            dimensions[dimension] = (text,)
    model = found.get("response_model") or found.get("request_model")
    if model:
        dimensions["model"] = (bounded(model),)
    if tool := found.get("tool_name"):
        dimensions["tool"] = (bounded(tool),)
    if documents:
        sources = dict.fromkeys(d.source for d in documents if d.source)
        if sources:
            dimensions["document.source"] = tuple(sources)[:MAX_DIMENSION_VALUES]
    return dimensions


def _from_properties(draft: Draft, values: dict[str, Any]) -> None:
    found = draft.found
    if "~metadata" not in found and "~association" not in found:
        return
    held = properties(found)
    for name, dimension in PROPERTIES.items():
        if held.get(name) not in (None, ""):
            values.setdefault(dimension, held[name])
    for name in CONVERSATION:
        if held.get(name):
            found.setdefault("conversation_id", str(held[name]))


def service_of(resource: dict[str, Any]) -> str:
    """The application that a resource is."""
    return bounded(resource.get("service.name")) or SERVICE_UNKNOWN


def bounded(value: Any) -> str:
    """A dimension's value: short text, empty for what is none."""
    if value is None or isinstance(value, list | dict):
        return ""
    text = value if isinstance(value, str) else str(value)
    return text.strip()[:MAX_DIMENSION_CHARS]
