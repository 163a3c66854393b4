import gzip

import pytest

from holdfast.core.errors import InputError, TooLargeError
from holdfast.ingest.limits import gunzip_bounded, weight_bytes


def test_what_was_packed_comes_out_again() -> None:
    assert gunzip_bounded(gzip.compress(b"hello")) == b"hello"
    assert gunzip_bounded(gzip.compress(b"")) == b""


def test_several_members_are_one_body_and_padding_is_ignored() -> None:
    assert gunzip_bounded(gzip.compress(b"a") + gzip.compress(b"b") + b"\0\0") == b"ab"


def test_exactly_the_limit_is_allowed_and_one_byte_more_is_not() -> None:
    assert len(gunzip_bounded(gzip.compress(b"x" * 1000), 1000)) == 1000
    with pytest.raises(TooLargeError, match="1000 bytes"):
        gunzip_bounded(gzip.compress(b"x" * 1001), 1000)


def test_a_bomb_is_refused_without_being_unpacked() -> None:
    bomb = gzip.compress(b"\0" * (64 << 20), compresslevel=9)
    with pytest.raises(TooLargeError):
        gunzip_bounded(bomb, 1 << 20)


def test_a_bomb_in_many_members_is_refused_too() -> None:
    with pytest.raises(TooLargeError):
        gunzip_bounded(gzip.compress(b"x" * 600) * 3, 1000)


@pytest.mark.parametrize(
    "body", [b"", b"plain", gzip.compress(b"hello" * 50, mtime=0)[:-9], gzip.compress(b"hello", mtime=0) + b"rubbish"]
)
def test_what_is_no_gzip_or_cut_off_is_refused(body: bytes) -> None:
    with pytest.raises(InputError, match="gzip"):
        gunzip_bounded(body)


@pytest.mark.parametrize("text", ['{"a":[1,2]}', b'{"a":[1,2]}'])
def test_json_weighs_what_its_values_take_as_text_and_as_bytes(text: str | bytes) -> None:
    assert weight_bytes(text) == 192 + 64 + 64
    assert weight_bytes(text * 3) == 3 * weight_bytes(text)
    assert weight_bytes("no values") == 0
