"""Server-sent events: the same events however the bytes are cut, and the bytes as they came."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import TooLargeError
from holdfast.gateway.sse import EventReader

STREAM = b'event: a\ndata: {"x":1}\n\n: comment\n\ndata: one\r\ndata: two\r\n\r\ndata:[DONE]\n\n'


def read(stream: bytes, cuts: list[int]) -> tuple[list[tuple[str, bytes]], bytes]:
    reader, events, at = EventReader(), [], 0
    for cut in [*sorted({c % (len(stream) + 1) for c in cuts}), len(stream)]:
        events += reader.feed(stream[at:cut])
        at = cut
    return [(e.name, e.data) for e in events], b"".join(e.raw for e in events) + reader.rest


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_events_do_not_depend_on_how_the_bytes_arrive(cuts: list[int]) -> None:
    events, again = read(STREAM, cuts)
    assert events == [("a", b'{"x":1}'), ("", b""), ("", b"one\ntwo"), ("", b"[DONE]")]
    assert again == STREAM


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=10))
def test_any_bytes_are_given_back_as_they_came(stream: bytes, cuts: list[int]) -> None:
    assert read(stream, cuts)[1] == stream


def test_an_event_that_never_ends_is_refused_before_it_fills_the_memory() -> None:
    reader = EventReader(limit=1000)
    for _ in range(10):
        reader.feed(b"data: " + b"x" * 90)
    with pytest.raises(TooLargeError):
        reader.feed(b"x" * 90)


def test_a_large_event_in_small_pieces_takes_linear_time() -> None:
    reader = EventReader()
    for _ in range(20_000):
        assert not reader.feed(b"x" * 100)
    assert len(reader.feed(b"\n\n")) == 1
