from holdfast.core.stream import EventStream, StreamEvent
from holdfast.testing.streams import MemoryStream


def test_a_stream_is_whatever_appends_reads_and_counts() -> None:
    stream: EventStream = MemoryStream()
    stream.append([StreamEvent(time_ns=1, actor="ada", type="Happened", body='{"type":"Happened"}')], 0)
    assert (stream.version(), [entry.version for entry in stream.read()]) == (1, [1])
