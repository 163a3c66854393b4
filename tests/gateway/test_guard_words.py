"""What passes between a worker and its guard process: whole, bounded, and nonsense is told as such."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.snapshot import GuardPlace
from holdfast.core.call import Message
from holdfast.core.errors import TooLargeError
from holdfast.gateway.dialects.protocol import Asked, Said
from holdfast.gateway.exchange import Ruling
from holdfast.gateway.guard_words import (
    MAX_FRAME_BYTES,
    MAX_QUESTION_BYTES,
    Arm,
    Batch,
    Frames,
    decode_answers,
    decode_order,
    decode_question,
    encode_question,
    framed,
)
from holdfast.gateway.guarding import Opinion, Ready, armed
from holdfast.gateway.guards.protocol import Seen
from tests.gateway.world import guard

GUARD = guard("g", "injection", GuardPlace.INPUT)
READY = Ready(armed(GUARD), GUARD.mode, 0.7)


def seen(text: str) -> Seen:
    return Seen(Asked(messages=(Message("user", text),)), Said(text="fine"), {"route": ("chat",)})


@given(payloads=st.lists(st.binary(max_size=40), max_size=8), cuts=st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_frames_are_whole_however_they_are_cut(payloads: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(framed(one) for one in payloads)
    frames, found, at, turn = Frames(), [], 0, 0
    while at < len(stream):
        size = cuts[turn % len(cuts)]
        found += frames.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert [msgspec.msgpack.decode(one) for one in found] == payloads


def test_a_frame_that_says_it_is_endless_is_refused_before_it_is_kept() -> None:
    with pytest.raises(TooLargeError):
        Frames().feed((MAX_FRAME_BYTES + 1).to_bytes(4))


def test_a_question_arrives_as_it_was_asked() -> None:
    what = seen("Where is it?")
    data = encode_question([READY], [], what)
    assert data is not None
    order = decode_order(framed(Batch((msgspec.Raw(data),)))[4:])
    assert isinstance(order, Batch)
    question = decode_question(order.questions[0])
    assert (question.before, question.after) == ((("g", 0.7),), ())
    assert (question.asked, question.said, question.dimensions) == (what.asked, what.said, what.dimensions)


def test_guards_and_opinions_arrive_as_they_were_sent() -> None:
    assert decode_order(framed(Arm((GUARD,)))[4:]) == Arm((GUARD,))
    opinions = [[Opinion(Ruling.DENY, 0.9, "says so", 7), None], []]
    assert decode_answers(framed(opinions)[4:]) == opinions


@pytest.mark.parametrize("text", ["x" * (MAX_QUESTION_BYTES + 1), "\ud800"], ids=["too long", "half a character"])
def test_what_cannot_be_asked_is_no_question(text: str) -> None:
    assert encode_question([READY], [], seen(text)) is None


@given(data=st.binary(max_size=60))
def test_nonsense_is_told_and_nothing_else_is_raised(data: bytes) -> None:
    for decode in (decode_order, decode_answers, lambda raw: decode_question(msgspec.Raw(raw))):
        try:
            decode(data)
        except msgspec.MsgspecError:
            continue
