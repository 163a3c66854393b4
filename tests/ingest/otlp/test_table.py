import pytest

from holdfast.core.call import DIMENSIONS, Call, Usage
from holdfast.ingest.otlp.application import LISTS, OWN, RULES
from holdfast.ingest.otlp.conventions import CONVENTIONS
from holdfast.ingest.otlp.table import Rule

ALL = [*OWN, *RULES, *LISTS, *(rule for c in CONVENTIONS for rule in (*c.rules, *c.lists))]
NOT_FROM_A_TABLE = {
    "trace_id",
    "span_id",
    "parent_span_id",
    "name",
    "start_ns",
    "end_ns",
    "status",
    "usage",
    "parameters",
    "dimensions",
}
SAMPLES: list[object] = [
    "",
    "x",
    "{",
    "[",
    "[]",
    "{}",
    "[{}]",
    "[[]]",
    '{"a": [1]}',
    0,
    -1,
    2**63,
    1.5,
    float("nan"),
    True,
    None,
    [],
    [None],
    {},
    {"0": 1},
    {"0": {}},
]


@pytest.mark.parametrize("rule", ALL, ids=lambda r: r.attribute)
def test_a_rule_names_a_field_that_exists(rule: Rule) -> None:
    first, _, rest = rule.field.partition(".")
    if first.startswith("~") or first == "parameters":
        return
    if first == "usage":
        assert rest in Usage.__struct_fields__
    elif first == "dimension":
        assert rest in DIMENSIONS
    else:
        assert rule.field in set(Call.__struct_fields__) - NOT_FROM_A_TABLE


@pytest.mark.parametrize("rule", ALL, ids=lambda r: r.attribute)
def test_no_converter_ever_raises(rule: Rule) -> None:
    for sample in SAMPLES:
        rule.convert(sample)
