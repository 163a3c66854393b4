"""The spool gives records back in order of event time, whatever fits into memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.call import Call
from holdfast.ingest.spool import MERGE_WIDTH, Spool


def calls(times: list[int]) -> Iterator[Call]:
    return (Call(trace_id=f"{n:032x}", span_id=f"{n:016x}", end_ns=time) for n, time in enumerate(times))


@given(st.lists(st.integers(0, 2**62), max_size=60), st.integers(1, 2_000))
def test_records_come_back_oldest_first_and_equal_times_in_order_of_adding(times: list[int], run_bytes: int) -> None:
    with Spool(run_bytes=run_bytes) as spool:
        for call in calls(times):
            spool.add(call)
        found = [(time, record.span_id) for time, record in spool if isinstance(record, Call)]
    assert found == sorted((time, f"{n:016x}") for n, time in enumerate(times))


def test_more_runs_than_can_be_merged_at_once_are_merged_in_steps() -> None:
    times = list(range(3 * MERGE_WIDTH, 0, -1))
    with Spool(run_bytes=1) as spool:
        for call in calls(times):
            spool.add(call)
        assert len(spool) == len(times)
        assert [time for time, _ in spool] == sorted(times)
        assert [time for time, _ in spool] == sorted(times), "reading twice gives the same"


def test_the_temporary_files_go_when_it_closes(tmp_path: Path) -> None:
    with Spool(run_bytes=1, directory=tmp_path) as spool:
        for call in calls([1, 2]):
            spool.add(call)
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


def test_a_run_that_was_cut_while_in_use_is_an_error(tmp_path: Path) -> None:
    with Spool(run_bytes=1, directory=tmp_path) as spool:
        for call in calls([1]):
            spool.add(call)
        (run,) = next(tmp_path.iterdir()).iterdir()
        run.write_bytes(run.read_bytes()[:-3])
        with pytest.raises(EOFError):
            list(spool)
