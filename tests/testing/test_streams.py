import pytest

from holdfast.core.errors import ConflictError
from holdfast.core.stream import StreamEvent
from holdfast.testing.streams import MemoryStream

EVENT = StreamEvent(time_ns=1, actor="ada", type="Happened", body='{"type":"Happened"}')


def test_versions_count_from_one_and_reading_goes_on_after_one() -> None:
    stream = MemoryStream()
    assert [entry.version for entry in stream.append([EVENT, EVENT])] == [1, 2]
    stream.append([EVENT], 2)
    assert [entry.version for entry in stream.read(1)] == [2, 3]
    assert [entry.version for entry in stream.read(0, 1)] == [1]


def test_another_version_than_expected_is_a_conflict_and_writes_nothing() -> None:
    stream = MemoryStream()
    stream.append([EVENT], 0)
    with pytest.raises(ConflictError):
        stream.append([EVENT], 0)
    assert stream.version() == 1


def test_a_test_may_let_somebody_else_be_first() -> None:
    stream = MemoryStream()

    def first() -> None:
        stream.before_append = lambda: None
        stream.append([EVENT])

    stream.before_append = first
    with pytest.raises(ConflictError):
        stream.append([EVENT], 0)
