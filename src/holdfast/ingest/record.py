"""`Record`: whatever ingest produces, and its form on disk."""

import msgspec

from holdfast.context.originals import Original
from holdfast.core.call import Call, EvaluationRecord, Message, MetricPoint
from holdfast.core.change import Change
from holdfast.core.errors import InputError


class MessageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Content of a model call that arrived apart from its span, as OTLP log records.

    One event gives one record; a call may have many. Refers to a span, else to a response id.
    """

    time_ns: int
    trace_id: str = ""
    span_id: str = ""
    response_id: str = ""
    service: str = "unknown_service"
    system_instructions: str = ""
    input_messages: tuple[Message, ...] = ()
    output_messages: tuple[Message, ...] = ()
    finish_reasons: tuple[str, ...] = ()
    tool_definitions: tuple[str, ...] = ()


Record = Call | EvaluationRecord | MetricPoint | Change | MessageRecord


class Rejected(msgspec.Struct, frozen=True):
    """Something that was not taken, and why.

    Args:
        where: place in the body, such as ``resourceSpans[0].scopeSpans[1].spans[3]``, or file and line.
        reason: one line for people.
        ignored: it is not ours to keep, such as an application's log line; counted, but no fault of the sender.
        lost: False where the record itself was kept and only a part of it was refused.
    """

    where: str
    reason: str
    ignored: bool = False
    lost: bool = True


class Decoded(msgspec.Struct, frozen=True):
    """What became of one body: nothing in it is missing from both lists.

    `originals` is what redaction took out and is to be sealed, `unsealed` how many values were too long or too many for that.
    """

    records: tuple[Record, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    originals: tuple[Original, ...] = ()
    unsealed: int = 0

    @property
    def rejected_count(self) -> int:
        """Items for OTLP's partial success: those lost through a fault of theirs."""
        return sum(1 for r in self.rejected if r.lost and not r.ignored)


_KINDS: dict[bytes, type] = {b"c": Call, b"e": EvaluationRecord, b"m": MetricPoint, b"h": Change, b"t": MessageRecord}
_PREFIX = {kind: prefix for prefix, kind in _KINDS.items()}
_ENCODER = msgspec.msgpack.Encoder()
_DECODERS: dict[bytes, msgspec.msgpack.Decoder[Record]] = {
    prefix: msgspec.msgpack.Decoder(kind) for prefix, kind in _KINDS.items()
}


def encode_record(record: Record) -> bytes:
    """One byte that says which kind, then MessagePack."""
    return _PREFIX[type(record)] + _ENCODER.encode(record)


def decode_record(data: bytes) -> Record:
    """The inverse of `encode_record`.

    Raises:
        InputError: `data` was not written by `encode_record`.
    """
    decoder = _DECODERS.get(data[:1])
    if decoder is None:
        raise InputError(f"no kind of record has the prefix {data[:1]!r}")
    try:
        return decoder.decode(memoryview(data)[1:])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(f"record does not decode: {error}") from error


def record_time_ns(record: Record) -> int:
    """Event time that orders arrivals: when a call ended, when anything else happened."""
    return record.end_ns if isinstance(record, Call) else record.time_ns


def with_messages(call: Call, record: MessageRecord) -> Call:
    """`call` with the content of `record` added; what the span told itself stays, and is not doubled."""
    inputs = call.input_messages + tuple(m for m in record.input_messages if m not in call.input_messages)
    outputs = call.output_messages + tuple(m for m in record.output_messages if m not in call.output_messages)
    return msgspec.structs.replace(
        call,
        system_instructions=call.system_instructions or record.system_instructions,
        input_messages=inputs,
        output_messages=outputs,
        finish_reasons=call.finish_reasons or record.finish_reasons,
        tool_definitions=call.tool_definitions or record.tool_definitions,
    )
