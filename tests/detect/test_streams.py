import numpy as np

from holdfast.detect.streams import LEARNING, TIME, WATCHING, N, Streams


def test_streams_grow_and_keep_what_they_hold() -> None:
    streams = Streams()
    for i in range(300):
        assert streams.add(i, 1, -1, 5) == i
        streams.null[i] = i
    assert streams.null[:300].tolist() == list(range(300))


def test_forgetting_starts_a_baseline_anew_and_leaves_the_other_streams() -> None:
    streams = Streams()
    rows = np.array([streams.add(0, 0, -1, 1), streams.add(1, 0, 0, 1)])
    streams.totals[rows, N] = streams.base[rows, N] = 100
    streams.mode[rows] = WATCHING
    streams.evidence[rows] = 7.0
    streams.forget(rows[:1])
    assert (streams.mode[0], streams.base[0, N], streams.evidence[0, 0], streams.committed[0, N]) == (LEARNING, 0, 0, 100)
    assert (streams.mode[1], streams.base[1, N], streams.evidence[1, 0]) == (WATCHING, 100, 7)


def test_a_restart_sets_the_onset_to_now() -> None:
    streams = Streams()
    row = np.array([streams.add(0, 0, -1, 1)])
    streams.totals[row, N], streams.last_ns[row] = 50, 9
    streams.restart(row)
    assert (streams.zero[0, :, N] == 50).all()
    assert (streams.zero[0, :, TIME] == 9).all()


def test_a_snapshot_is_exact() -> None:
    streams, again = Streams(), Streams()
    for i in range(100):
        streams.add(i, i % 3, -1, i)
    streams.evidence[:100] = np.random.default_rng(1).random((100, streams.evidence.shape[1]))
    again.load(streams.state())
    assert again.size == 100
    assert again.state() == streams.state()
    assert again.add(7, 7, -1, 1) == 100


def test_the_rows_of_streams_that_ended_are_empty_and_used_first_also_after_a_restart() -> None:
    streams, again = Streams(), Streams()
    for i in range(5):
        streams.add(i, 0, -1, 7)
    streams.totals[:5], streams.mode[:5] = 9.0, WATCHING
    streams.release(np.array([3, 1]))
    assert (streams.used, streams.size) == (3, 5)
    assert (streams.segment[1], streams.mode[1], streams.totals[1, N]) == (-1, LEARNING, 0)
    again.load(streams.state())
    for each in (streams, again):
        assert [each.add(8, 0, -1, 9) for _ in range(3)] == [1, 3, 5]
        assert each.used == 6
