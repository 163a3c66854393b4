"""A span on its way to a `Call`: the fields found so far."""

from typing import Any

import msgspec

from holdfast.core.call import Evaluation, Guardrail
from holdfast.ingest.otlp.conventions import Plan
from holdfast.ingest.otlp.flattened import at, unflatten
from holdfast.ingest.otlp.raw import RawSpan


class Draft(msgspec.Struct):
    """Fields by the names of `table.Rule`; what is judged of the call; and what of the span had to be refused."""

    span: RawSpan
    found: dict[str, Any]
    usage: dict[str, int]
    dimensions: dict[str, Any]
    parameters: dict[str, Any]
    evaluations: list[Evaluation]
    guardrails: list[Guardrail]
    faults: list[str]


def read(span: RawSpan, plan: Plan) -> Draft:
    """Put a span's attributes through the tables of `plan`: per field the first source that yields a value wins."""
    attributes = span.attributes
    draft = Draft(span, {}, {}, {}, {}, [], [], [])
    sections = (draft.found, draft.usage, draft.dimensions, draft.parameters)
    for attribute, section, field, convert in plan.steps:
        fields = sections[section]
        if field not in fields:
            value = convert(attributes[attribute])
            if value is not None:
                fields[field] = value
    if plan.spread:
        tree = unflatten((path, attributes[name]) for name, path in plan.spread)
        for path, section, field, convert in plan.lists:
            fields = sections[section]
            if field not in fields:
                value = convert(at(tree, *path))
                if value is not None:
                    fields[field] = value
    return draft
