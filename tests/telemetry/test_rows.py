import msgspec
import pytest

from holdfast.core.call import Call, MetricPoint
from holdfast.core.score import Span
from holdfast.telemetry.rows import (
    MAX_DEPTH,
    call_columns,
    calls_of,
    decode_call,
    decode_failure,
    decode_score,
    encode_call,
    point_columns,
    storable,
    within,
)
from tests.telemetry.examples import call, failed, score, scored


def nested(depth: int) -> dict[str, object]:
    value: dict[str, object] = {"leaf": "x"}
    for _ in range(depth):
        value = {"in": value}
    return value


def test_all_columns_have_the_length_of_the_batch() -> None:
    rows = list(calls_of([scored(call(n, s), scores=(score(call(n, s)),)) for n in range(3) for s in range(2)]).values())
    assert {len(values) for values in call_columns(rows).values()} == {6}


def test_scores_stand_beside_their_call() -> None:
    one, two = call(span=1), call(span=2)
    rows = calls_of([scored(one, two, scores=(score(two, "b"), score(one, "a")), failures=(failed(two),))])
    assert [[s.metric for s in r.scores] for r in rows.values()] == [["a"], ["b"]]
    assert [len(r.failures) for r in rows.values()] == [0, 1]


def test_a_call_that_encodes_is_not_touched() -> None:
    before = call(attributes={"a": 1})
    after, body = encode_call(before)
    assert after is before
    assert decode_call(body) == before


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\N{SNOWMAN}\ud83d"])
def test_lone_surrogates_are_replaced_everywhere(text: str) -> None:
    after, body = encode_call(call(name=text, attributes={text: [text]}, dimensions={"service.name": (text,)}))
    clean = storable(text)
    assert (after.name, after.service, after.attributes) == (clean, clean, {clean: [clean]})
    assert decode_call(body) == after


def test_integers_that_no_store_can_hold_become_text() -> None:
    after, _ = encode_call(call(attributes={"big": 2**64, "fits": 2**64 - 1, "low": -(2**63) - 1}))
    assert after.attributes == {"big": str(2**64), "fits": 2**64 - 1, "low": str(-(2**63) - 1)}


def test_values_of_unknown_kinds_become_text() -> None:
    after, _ = encode_call(call(attributes={"odd": object, "n": 2**70}))
    assert isinstance(after.attributes["odd"], str)


def test_what_is_nested_without_end_is_cut_and_the_rest_kept() -> None:
    after, body = encode_call(call(name="kept", attributes=nested(50_000)))
    assert decode_call(body).name == "kept"
    value, depth = after.attributes, 0
    while isinstance(value, dict):
        value, depth = next(iter(value.values())), depth + 1
    assert (value, depth) == ("(nested too deeply)", MAX_DEPTH + 1)


def test_every_field_of_a_call_survives_repair() -> None:
    before = call(name="\ud800", cost_usd=0.5, finish_reasons=("stop",), tool_definitions=("a", "b"))
    after, _ = encode_call(before)
    assert msgspec.structs.replace(after, name="\ud800") == before
    assert isinstance(after, Call)


@pytest.mark.parametrize(("number", "kept"), [(-1, 0), (0, 0), (7, 7), (2**63 - 1, 2**63 - 1), (2**63, 2**63 - 1)])
def test_numbers_are_clipped_to_what_a_column_holds(number: int, kept: int) -> None:
    assert within(number) == kept


def test_a_score_comes_back_from_its_columns() -> None:
    before = score(call(), "m", 0.5, why="w", spans=(Span("answer", 1, 2),))
    spans = msgspec.json.encode(before.spans).decode()
    assert decode_score(before.trace_id, before.span_id, ("m", 0.5, "m", "1", "w", spans)) == before


def test_a_failure_comes_back_from_its_columns() -> None:
    before = failed(call())
    fields = (before.scorer, before.version, before.error_type, before.message)
    assert decode_failure(before.trace_id, before.span_id, fields) == before


def test_equal_metric_points_are_written_alike_whatever_the_order_of_their_attributes() -> None:
    one, two = (
        MetricPoint(time_ns=1, service="s", name="n", value=1, attributes=a) for a in ({"a": "1", "b": "2"}, {"b": "2", "a": "1"})
    )
    assert point_columns([one]) == point_columns([two])
