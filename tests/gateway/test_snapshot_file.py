"""The last good snapshot: what is malformed, oversized, senseless or older is refused, and the one in force stays."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.snapshot import Desired, Snapshot
from holdfast.control.validate import MAX_SNAPSHOT_BYTES
from holdfast.core.errors import ConflictError, HoldfastError, InputError, TooLargeError
from holdfast.gateway.snapshot_file import SnapshotFile, newer, read_snapshot
from holdfast.testing.gateway import simple

GOOD = Snapshot(version=3, created_ns=1, desired=simple("http://127.0.0.1:1"))


def test_a_snapshot_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = SnapshotFile(tmp_path)
    assert file.load() is None
    file.save(GOOD)
    assert file.load() == GOOD


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"null",
        b"\xff",
        b'{"version":1,"created_ns":0,"desired":{},"surprise":1}',
        b'{"version":"one","created_ns":0,"desired":{}}',
        msgspec.json.encode(GOOD)[:-5],
        b"[" * 100_000,
    ],
    ids=["empty", "object", "null", "bytes", "unknown-field", "type", "cut", "deep"],
)
def test_what_is_no_snapshot_is_refused_with_a_reason(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_snapshot(data)
    file = SnapshotFile(tmp_path)
    file.path.write_bytes(data)
    with pytest.raises(InputError, match=str(file.path)):
        file.load()


def test_a_snapshot_larger_than_any_that_is_made_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(TooLargeError):
        read_snapshot(b" " * (MAX_SNAPSHOT_BYTES + 1))


def test_a_snapshot_that_makes_no_sense_is_refused_and_says_where() -> None:
    route = msgspec.structs.replace(GOOD.desired.routes[0], template="no-such-template")
    wrong = msgspec.structs.replace(GOOD, desired=msgspec.structs.replace(GOOD.desired, routes=(route,)))
    with pytest.raises(InputError, match="no-such-template"):
        read_snapshot(msgspec.json.encode(wrong))


def test_an_older_snapshot_never_takes_the_place_of_a_newer_one() -> None:
    assert newer(GOOD, None)
    assert newer(GOOD, msgspec.structs.replace(GOOD, version=2))
    assert not newer(GOOD, GOOD)
    with pytest.raises(ConflictError, match="older"):
        newer(GOOD, msgspec.structs.replace(GOOD, version=4))


def test_a_change_of_the_file_is_seen_once(tmp_path: Path) -> None:
    file = SnapshotFile(tmp_path)
    assert not file.changed()
    file.save(GOOD)
    assert [file.changed(), file.changed()] == [True, False]
    file.save(Snapshot(version=4, created_ns=1, desired=Desired()))
    assert file.changed()


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    try:
        read_snapshot(data)
    except HoldfastError:
        return
