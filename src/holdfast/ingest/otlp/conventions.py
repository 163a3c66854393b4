"""Which convention wrote a span, and the merged table to read it with."""

from enum import IntEnum
from typing import NamedTuple

from holdfast.ingest.otlp import openinference, openllmetry, otel_genai, vercel_ai
from holdfast.ingest.otlp.application import LISTS, OWN, RULES
from holdfast.ingest.otlp.convert import Converter, scalar
from holdfast.ingest.otlp.flattened import Path, path_of
from holdfast.ingest.otlp.openinference import OPENINFERENCE
from holdfast.ingest.otlp.openllmetry import OPENLLMETRY
from holdfast.ingest.otlp.otel_genai import OTEL_GENAI
from holdfast.ingest.otlp.table import Convention, Rule
from holdfast.ingest.otlp.vercel_ai import VERCEL_AI

CONVENTIONS = (OTEL_GENAI, OPENINFERENCE, OPENLLMETRY, VERCEL_AI)
"""To add one: a file with a table, and a line here and in `convention_of`."""

UNKNOWN = Convention("unknown", "unknown/1", ())
_BY_NAME = {convention.name: convention for convention in (*CONVENTIONS, UNKNOWN)}


class Section(IntEnum):
    """Which part of a draft a field belongs to, by the beginning of its name in the table."""

    FIELD = 0
    USAGE = 1
    DIMENSION = 2
    PARAMETER = 3


_SECTIONS = {"usage.": Section.USAGE, "dimension.": Section.DIMENSION, "parameters.": Section.PARAMETER}
_REQUEST = "gen_ai.request."


class Step(NamedTuple):
    """Put `convert(attributes[attribute])` into `field` of the section, unless an earlier step did."""

    attribute: str
    section: int
    field: str
    convert: Converter


class ListStep(NamedTuple):
    """The same for what is spread over many names: the converter gets the branch of the tree at `path`."""

    path: Path
    section: int
    field: str
    convert: Converter


class Plan(NamedTuple):
    """How to read spans whose attributes have certain names: the steps in order of precedence, first the convention's own table,
    then those of the others, since spans mix them.

    `spread` are the names that `lists` are unflattened from.
    """

    convention: Convention
    steps: tuple[Step, ...]
    spread: tuple[tuple[str, Path], ...]
    lists: tuple[ListStep, ...]


def _placed(field: str) -> tuple[int, str]:
    for prefix, section in _SECTIONS.items():
        if field.startswith(prefix):
            return int(section), field.removeprefix(prefix)
    return int(Section.FIELD), field


def _merged(first: Convention) -> tuple[dict[str, list[tuple[int, Step]]], list[tuple[str, ListStep]]]:
    """(attribute → its steps with their ranks, (prefix, list step) in order of precedence)."""
    order = [first, *(c for c in CONVENTIONS if c is not first)]
    rules: list[Rule] = [*OWN, *(rule for c in order for rule in c.rules), *RULES]
    table: dict[str, list[tuple[int, Step]]] = {}
    for rank, rule in enumerate(rules):
        table.setdefault(rule.attribute, []).append((rank, Step(rule.attribute, *_placed(rule.field), rule.convert)))
    lists = [*(rule for c in order for rule in c.lists), *LISTS]
    return table, [(f"{r.attribute}.", ListStep(path_of(r.attribute), *_placed(r.field), r.convert)) for r in lists]


_MERGED = {convention.name: _merged(convention) for convention in _BY_NAME.values()}

_MAX_REMEMBERED = 2048
_MAX_REMEMBERED_NAMES = 256
_remembered: dict[tuple[str, tuple[str, ...]], Plan] = {}


def plan_for(names: tuple[str, ...], scope: str) -> Plan:
    """The plan for spans whose attributes have these names. An instrumentation writes few different sets of them, so plans
    are remembered.
    """
    known = _remembered.get((scope, names))
    if known is None:
        known = _planned(names, convention_of(names, scope))
        if len(names) <= _MAX_REMEMBERED_NAMES:
            if len(_remembered) >= _MAX_REMEMBERED:
                _remembered.clear()
            _remembered[scope, names] = known
    return known


def _planned(names: tuple[str, ...], convention: Convention) -> Plan:
    table, lists = _MERGED[convention.name]
    ranked: list[tuple[int, Step]] = []
    others: list[str] = []
    for name in names:
        found = table.get(name)
        if found is not None:
            ranked += found
        elif name.startswith(_REQUEST):
            ranked.append((-1, Step(name, int(Section.PARAMETER), name.removeprefix(_REQUEST), scalar)))
        else:
            others.append(name)
    ranked.sort(key=lambda r: r[0])
    steps = tuple(step for _, step in ranked)
    present = [(prefix, step) for prefix, step in lists if any(name.startswith(prefix) for name in others)]
    prefixes = tuple(prefix for prefix, _ in present)
    spread = tuple((name, path_of(name)) for name in others if name.startswith(prefixes)) if prefixes else ()
    return Plan(convention, steps, spread, tuple(step for _, step in present))


def convention_of(names: tuple[str, ...], scope: str) -> Convention:
    """The convention that wrote attributes of these names.

    Evidence in order of weight: the span kind that only one convention writes, the instrumentation's scope, then names.
    """
    if "openinference.span.kind" in names:
        return OPENINFERENCE
    if "traceloop.span.kind" in names or "llm.request.type" in names:
        return OPENLLMETRY
    if scope.startswith("openinference."):
        return OPENINFERENCE
    if any(name.startswith(vercel_ai.EVIDENCE) for name in names):
        return VERCEL_AI
    if any(name.startswith(openllmetry.EVIDENCE) for name in names):
        return OPENLLMETRY
    if any(name.startswith(otel_genai.EVIDENCE) for name in names):
        return OTEL_GENAI
    return OPENINFERENCE if any(name.startswith(openinference.EVIDENCE) for name in names) else UNKNOWN
