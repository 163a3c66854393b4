import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from holdfast.core.errors import InputError, TooLargeError
from holdfast.ingest.limits import MAX_HEAD_BYTES, MAX_ITEM_BYTES, MAX_ITEMS
from holdfast.ingest.otlp.protobuf import spans
from holdfast.ingest.otlp.split import split
from holdfast.ingest.otlp.wire import varint
from holdfast.ingest.record import Rejected
from tests.ingest.otlp.bodies import SPAN, as_protobuf, span, traces

NAMES = ("resourceSpans", "scopeSpans")


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def test_a_body_is_cut_into_its_resources_scopes_and_items() -> None:
    one, two = traces(span(name="a"), span(name="b"), scope="lib"), traces(span(name="c"))
    body = as_protobuf({"resourceSpans": one["resourceSpans"] + two["resourceSpans"]})
    groups = split(body, NAMES)
    names = [[Span.FromString(body[a:b]).name for s in g.scopes for a, b in s.items] for g in groups]
    assert names == [["a", "b"], ["c"]]
    assert b"support" in groups[0].resource
    assert groups[0].scopes[0].scope == field(1, b"lib")


def test_a_resource_in_two_parts_and_behind_its_spans_is_one() -> None:
    inner = field(2, field(2, b"")) + field(1, b"one") + field(1, b"two")
    (group,) = split(field(1, inner), NAMES)
    assert group.resource == b"onetwo"


def test_unknown_fields_around_the_items_are_passed_over() -> None:
    assert split(b"\xfa\x3f\x03abc", NAMES) == []
    (group,) = split(field(1, b"\x28\x01" + field(9, b"x")), NAMES)
    assert (group.resource, group.scopes) == (b"", [])


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"\x0a\x05ab", ""),
        (field(1, b"\x12\x05ab"), "resourceSpans[0]"),
        (field(1, field(2, b"")) + field(1, field(2, b"") + field(2, b"\x12\x05a")), "resourceSpans[1].scopeSpans[1]"),
        (b"\x08\x01", "resourceSpans[0]"),
        (field(1, b"\x10\x01"), "resourceSpans[0].scopeSpans[0]"),
    ],
)
def test_damage_around_the_items_loses_the_body_and_is_named(body: bytes, where: str) -> None:
    with pytest.raises(InputError, match="not OTLP protobuf") as caught:
        split(body, NAMES)
    assert caught.value.where == where


def test_more_items_than_allowed_are_refused_before_any_is_read() -> None:
    split(field(1, field(2, b"\x12\x00" * MAX_ITEMS)), NAMES)
    for body in (
        field(1, field(2, b"\x12\x00" * (MAX_ITEMS + 1))),
        field(1, field(2, b"\x12\x00" * (MAX_ITEMS // 2)) * 3),
        b"\x0a\x00" * (4 * MAX_ITEMS + 1),
    ):
        with pytest.raises(TooLargeError, match=f"more than {MAX_ITEMS} items"):
            split(body, NAMES)


def test_a_span_that_cannot_be_read_is_named_and_the_others_kept() -> None:
    good = Span(name="good", span_id=bytes.fromhex(SPAN)).SerializeToString()
    rejected: list[Rejected] = []
    body = field(
        1, field(2, field(2, b"\x0b") + field(2, good) + field(2, b"\x2a" + varint(MAX_ITEM_BYTES) + b"x" * MAX_ITEM_BYTES))
    )
    (found,) = spans(body, rejected)
    assert (found.name, found.where) == ("good", (0, 0, 1))
    assert [r.where for r in rejected] == [f"resourceSpans[0].scopeSpans[0].spans[{n}]" for n in (0, 2)]
    assert f"more than {MAX_ITEM_BYTES}" in rejected[1].reason


@pytest.mark.parametrize("resource", [b"\x0b", b"\x1a" + varint(MAX_HEAD_BYTES) + b"x" * MAX_HEAD_BYTES])
def test_a_resource_or_scope_that_cannot_be_kept_does_not_cost_its_spans(resource: bytes) -> None:
    rejected: list[Rejected] = []
    (found,) = spans(field(1, field(1, resource) + field(2, field(1, resource) + field(2, b""))), rejected)
    assert (found.resource, found.scope) == ({}, "")
    assert [r.where for r in rejected] == ["resourceSpans[0].resource", "resourceSpans[0].scopeSpans[0].scope"]
    assert not any(r.lost for r in rejected)
