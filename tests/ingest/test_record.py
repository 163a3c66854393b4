from typing import Any

import msgspec
import pytest

from holdfast.core.call import Call, Document, Evaluation, EvaluationRecord, Kind, Message, MetricPoint, ToolCall, Usage
from holdfast.core.change import Change, ChangeKind
from holdfast.core.errors import InputError
from holdfast.ingest.record import (
    Decoded,
    MessageRecord,
    Record,
    Rejected,
    decode_record,
    encode_record,
    record_time_ns,
    with_messages,
)

CALL = Call(
    trace_id="a" * 32,
    span_id="b" * 16,
    kind=Kind.LLM,
    start_ns=5,
    end_ns=9,
    dimensions={"tool": ("x", "y")},
    parameters={"temperature": 0.5, "stream": True},
    input_messages=(Message("user", "Hi", (ToolCall("f", "{}"),)),),
    documents=(Document("d", score=0.5, updated_ns=7, metadata={"a": "b"}),),
    usage=Usage(1, None, 3),
    attributes={"deep": [1, None, {"x": 1.5}], "big": 2**63 - 1, "text": "é\ufffd"},
)
RECORDS: list[Record] = [
    CALL,
    EvaluationRecord(time_ns=3, evaluation=Evaluation("x", 0.5)),
    MetricPoint(time_ns=4, service="s", name="m", value=1.5),
    Change(id="1", time_ns=2, kind=ChangeKind.PROMPT, scope={"route": "/"}),
    MessageRecord(time_ns=6, span_id="b" * 16, output_messages=(Message("assistant", "Hi"),)),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: type(r).__name__)
def test_a_record_comes_back_from_disk_as_it_was(record: Record) -> None:
    assert decode_record(encode_record(record)) == record


@pytest.mark.parametrize(
    "data", [b"", b"c", b"x\x80", b"c\x80", b"c" + b"\xff" * 9, b"e\x81\xa7time_ns\xa1x", encode_record(CALL)[:-1]]
)
def test_bytes_that_are_no_record_are_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        decode_record(data)


def test_order_of_arrival_is_the_end_of_a_call_and_the_time_of_all_else() -> None:
    assert [record_time_ns(r) for r in RECORDS] == [9, 3, 4, 2, 6]


def test_messages_that_come_apart_are_added_once_and_never_replace_the_spans_own() -> None:
    told: dict[str, Any] = {"system_instructions": "Be kind.", "input_messages": CALL.input_messages, "finish_reasons": ("stop",)}
    record = MessageRecord(time_ns=1, output_messages=(Message("assistant", "Hello"),), **told)
    once = with_messages(CALL, record)
    assert once == with_messages(once, record)
    assert (once.answer, once.system_instructions, once.finish_reasons) == ("Hello", "Be kind.", ("stop",))
    assert once.input_messages == CALL.input_messages
    tooled = with_messages(CALL, MessageRecord(time_ns=1, tool_definitions=("track",)))
    assert tooled.tool_definitions == ("track",)
    assert with_messages(tooled, MessageRecord(time_ns=1, tool_definitions=("other",))).tool_definitions == ("track",)
    own = msgspec.structs.replace(CALL, system_instructions="Mine.", finish_reasons=("length",))
    kept = with_messages(own, record)
    assert (kept.system_instructions, kept.finish_reasons) == ("Mine.", ("length",))


def test_only_what_was_lost_by_its_senders_fault_counts_as_rejected() -> None:
    rejected = (Rejected("a", "bad"), Rejected("b", "not ours", ignored=True), Rejected("c", "in part", lost=False))
    assert Decoded((), rejected).rejected_count == 1
