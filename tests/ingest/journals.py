"""What the tests of the journal share: records, and waiting for a condition instead of for a time."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from holdfast.core.call import Call
from holdfast.ingest.journal import Damage, JournalLimits, JournalReader, Position
from holdfast.ingest.record import Record

PROMPT = JournalLimits(min_free_bytes=0, refresh_s=0.005)
"""Limits of a journal that looks at its checkpoint quickly."""


def call(number: int, size: int = 0) -> Call:
    """A call that is recognised by its number, about `size` bytes long."""
    return Call(trace_id=f"{number:032x}", span_id=f"{number:016x}", name=f"call {number}", input_text="x" * size)


def calls(numbers: Sequence[int]) -> list[Call]:
    return [call(number) for number in numbers]


def number_of(record: Record) -> int:
    assert isinstance(record, Call)
    return int(record.span_id, 16)


def drain(directory: Path, position: Position | None = None, damage: list[Damage] | None = None) -> list[int]:
    """Numbers of all the calls in a journal that nobody writes to."""
    found: list[int] = []
    with JournalReader(directory, position, (damage if damage is not None else []).append) as reader:
        while batch := reader.read(timeout=0):
            found += [number_of(record) for _, record in batch]
    return found


def wait_until(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Return as soon as `condition` is true; fail when it is not within `timeout_s`. Lets others go first, and never sleeps."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        os.sched_yield()
