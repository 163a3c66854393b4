"""Files → encoded records; long files are decoded, redacted and mapped by several processes at once."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import msgspec

from holdfast.context.redact import RedactionPolicy, Redactor
from holdfast.core.errors import InputError
from holdfast.ingest.child import end, follow_parent
from holdfast.ingest.jsonl import Line, Progress, Seen, lines_of, records_of
from holdfast.ingest.record import Rejected, encode_record, record_time_ns

PORTION_BYTES = 512 * 1024
"""Lines that are decoded together."""
SHORT_BYTES = 6 * 1024 * 1024
"""Files shorter than this are read before another process would have started."""
ANSWER_S = 120.0
"""A portion that is not decoded by then never will be."""


class Encoded(NamedTuple):
    """A record as `encode_record` writes it, and its event time."""

    time_ns: int
    data: bytes


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How files are read.

    Args:
        redaction, key: as `Redactor` takes them.
        jobs: processes at once for long files; 1 reads in this one.
        begin: called first in each process, such as to settle memory.
    """

    redaction: RedactionPolicy
    key: bytes
    jobs: int = 1
    begin: Callable[[], None] | None = None


def read_encoded(
    paths: Sequence[Path | str], reading: Reading, on_progress: Progress | None = None
) -> Iterator[Encoded | Rejected]:
    """The same as `jsonl.read_files`, in the same order.

    Raises:
        InputError: as there; or a process ended over a line, or was held up by it: names the place from which it read.
    """
    seen = Seen(paths)
    portions = _portions(lines_of(paths, on_progress), seen)
    first, size = list[list[Line]](), 0
    for portion in portions:
        first.append(portion)
        size += sum(len(line.data) for line in portion)
        if size >= SHORT_BYTES:
            break
    if size < SHORT_BYTES or reading.jobs < 2:
        redactor = Redactor(reading.redaction, reading.key)
        decoded: Iterable[list[Encoded | Rejected]] = (_decoded(p, redactor) for p in chain(first, portions))
    else:
        decoded = _apart(chain(first, portions), reading)
    for items in decoded:
        for item in items:
            seen.note(item)
            yield item
    seen.check()


def _portions(lines: Iterable[Line], seen: Seen) -> Iterator[list[Line]]:
    portion, size = list[Line](), 0
    for line in lines:
        seen.lines += 1
        portion.append(line)
        size += len(line.data)
        if size >= PORTION_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _decoded(portion: Sequence[Line], redactor: Redactor) -> list[Encoded | Rejected]:
    return [
        item if isinstance(item, Rejected) else Encoded(record_time_ns(item), encode_record(item))
        for line in portion
        for item in records_of(line, redactor)
    ]


def _apart(portions: Iterable[list[Line]], reading: Reading) -> Iterator[list[Encoded | Rejected]]:
    """Each portion decoded in another process, in their order; a few are under way at a time."""
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(reading.jobs, context, _prepare, (reading.redaction, reading.key, reading.begin))
    ahead: deque[tuple[str, Future[list[Encoded | Rejected]]]] = deque()
    try:
        for portion in portions:
            ahead.append((portion[0].place, executor.submit(_decode_there, portion)))
            if len(ahead) > 2 * reading.jobs:
                yield _answer(*ahead.popleft())
        while ahead:
            yield _answer(*ahead.popleft())
    except BrokenExecutor as error:
        raise InputError(f"the reading process ended: {error}", ahead[0][0] if ahead else "") from error
    finally:
        end(executor)


def _answer(place: str, future: "Future[list[Encoded | Rejected]]") -> list[Encoded | Rejected]:
    try:
        return future.result(ANSWER_S)
    except BrokenExecutor as error:
        raise InputError("the reading process ended over what stands from here on", place) from error
    except TimeoutError as error:
        raise InputError(f"not read within {ANSWER_S:g} s from here on", place) from error


_there: list[Redactor] = []
"""The redactor of a reading process."""


def _prepare(policy: RedactionPolicy, key: bytes, begin: Callable[[], None] | None) -> None:
    follow_parent()
    _there[:] = [Redactor(policy, key)]
    if begin is not None:
        begin()


def _decode_there(portion: Sequence[Line]) -> list[Encoded | Rejected]:
    return _decoded(portion, _there[0])
