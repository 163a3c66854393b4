"""What the processes of one gateway say to each other: bounded, and never waited for."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.probes import ProbeVerdict
from holdfast.core.errors import InputError
from holdfast.gateway.siblings import MAX_LINE_BYTES, MAX_SAID_BYTES, Judged, Lines, Tripped, Word, decode_word, encode_word, say

TRIPPED = Tripped("quality", "large", ("acme", "v7"))
JUDGED = Judged(ProbeVerdict(rule="quality", target="large", good=True, judge="tox"))


@pytest.mark.parametrize("word", [TRIPPED, JUDGED], ids=["tripped", "judged"])
def test_a_word_is_one_line_and_comes_back_from_it(word: Word) -> None:
    line = encode_word(word)
    assert line.count(b"\n") == 1
    assert decode_word(line.strip()) == word


@given(st.binary(max_size=200))
def test_whatever_else_arrives_is_an_error_and_nothing_worse(line: bytes) -> None:
    with pytest.raises(InputError):
        decode_word(line)


@pytest.mark.parametrize(
    "line", [b"", b"{}", b'{"type":"Tripped"}', b'{"type":"Kill"}', b"[" * 50_000], ids=lambda v: str(v[:14])
)
def test_half_a_word_is_none(line: bytes) -> None:
    with pytest.raises(InputError):
        decode_word(line)


@given(st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"")), max_size=8), st.integers(1, 9))
def test_lines_come_out_as_they_went_in_however_the_pipe_cuts_them(sent: list[bytes], size: int) -> None:
    data, lines = b"".join(line + b"\n" for line in sent), Lines()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert [line for piece in pieces for line in lines.feed(piece)] == sent


def test_a_line_that_never_ends_does_not_fill_the_memory() -> None:
    lines = Lines()
    for _ in range(4):
        assert lines.feed(b"x" * MAX_LINE_BYTES) == []
    assert len(lines.feed(b"\n")[0]) == MAX_LINE_BYTES


def test_what_nobody_reads_is_lost_and_nobody_waits_for_it() -> None:
    ours, theirs = os.pipe()
    try:
        os.set_blocking(theirs, False)
        told = [say(theirs, TRIPPED) for _ in range(5_000)]
        assert told[0]
        assert not told[-1]
        os.close(ours)
        assert not say(theirs, TRIPPED)
    finally:
        os.close(theirs)


def test_a_word_that_a_pipe_might_tear_is_not_said() -> None:
    ours, theirs = os.pipe()
    try:
        os.set_blocking(ours, False)
        assert not say(theirs, Tripped("quality", "x" * MAX_SAID_BYTES, ()))
        with pytest.raises(BlockingIOError):
            os.read(ours, 1)
        assert say(theirs, TRIPPED)
    finally:
        os.close(ours)
        os.close(theirs)
