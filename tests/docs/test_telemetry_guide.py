"""The guide to telemetry tells what the mappers do."""

import re
from pathlib import Path

import orjson
import pytest

from holdfast.context.entities import RedactionPolicy
from holdfast.context.redact import Redactor
from holdfast.core.call import DIMENSIONS, Call
from holdfast.core.change import ChangeKind
from holdfast.ingest.otlp import decode_document

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "telemetry.md").read_text()
SAMPLE = orjson.loads(re.findall(r"```json\n(.*?)```", GUIDE, re.S)[0])
ROWS = {
    row[0].strip("` "): row[1:]
    for line in GUIDE.split("## Dimensions")[1].split("## Content")[0].splitlines()
    if line.startswith("| `") and (row := line.strip("|").split("|"))
}
NAMES = [(dimension, name) for dimension, row in ROWS.items() for name in re.findall(r"`([^`]+)`", row[0])]
RESOURCE_NAMES = [(dimension, name) for dimension, row in ROWS.items() for name in re.findall(r"`([^`]+)`", row[1])]


def call_of(*, span: dict[str, str] | None = None, resource: dict[str, str] | None = None) -> Call:
    attributes, own = [[{"key": k, "value": {"stringValue": v}} for k, v in (of or {}).items()] for of in (span, resource)]
    body = orjson.loads(orjson.dumps(SAMPLE))
    head = body["resourceSpans"][0]
    head["resource"]["attributes"] = own or head["resource"]["attributes"]
    if span is not None or resource is not None:
        head["scopeSpans"][0]["spans"][0]["attributes"] = attributes
    (record,) = decode_document(body, Redactor(RedactionPolicy(), b"a key that is long enough for it .")).records
    assert isinstance(record, Call)
    return record


def test_every_dimension_is_explained() -> None:
    assert tuple(ROWS) == DIMENSIONS


@pytest.mark.parametrize(("dimension", "name"), NAMES, ids=str)
def test_every_span_attribute_of_the_table_gives_its_dimension(dimension: str, name: str) -> None:
    found = call_of(span={"gen_ai.operation.name": "chat", name: "value"}).dimensions
    assert found[dimension] == ("value",)


@pytest.mark.parametrize(("dimension", "name"), RESOURCE_NAMES, ids=str)
def test_every_resource_attribute_of_the_table_gives_its_dimension(dimension: str, name: str) -> None:
    assert call_of(resource={name: "value"}).dimensions[dimension] == ("value",)


@pytest.mark.parametrize(
    "name", re.findall(r"`([^`]+)`", GUIDE.split("association properties the names")[1].split("are read, too")[0])
)
def test_every_property_of_the_guide_is_read_from_metadata(name: str) -> None:
    found = call_of(span={"openinference.span.kind": "LLM", "metadata": orjson.dumps({name: "value"}).decode()})
    assert "value" in {*[v for values in found.dimensions.values() for v in values], found.conversation_id}


def test_the_small_request_is_understood() -> None:
    call = call_of()
    assert (call.input_messages[0].content, call.answer, call.model) == ("When do you open?", "At nine.", "small-1")
    told = {"service.name": "shop", "route": "/chat", "prompt.version": "v7", "user": "u-17", "model": "small-1"}
    assert call.dimensions == {dimension: (value,) for dimension, value in told.items()}


def test_every_kind_of_change_is_told() -> None:
    (told,) = re.findall(r"`data.kind` \| one of `([^`]+)`", GUIDE)
    assert sorted(told.split()) == sorted(ChangeKind)
