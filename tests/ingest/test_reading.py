"""Several processes read the same as one, in the same order, and one that dies is told with its place."""

import os
import time
from pathlib import Path

import pytest

import holdfast.ingest.reading as module
from holdfast.context.entities import RedactionPolicy
from holdfast.context.redact import Redactor
from holdfast.core.errors import InputError
from holdfast.ingest.jsonl import read_files
from holdfast.ingest.reading import Encoded, Reading, read_encoded
from holdfast.ingest.record import Rejected, encode_record, record_time_ns

KEY = b"a key for the tests"
SPAN = '{{"traceId":"{n:032x}","spanId":"{n:016x}","name":"chat","startTimeUnixNano":"{n}","endTimeUnixNano":"{n}"}}'


def die() -> None:
    os._exit(9)


def hang() -> None:
    time.sleep(600)


def reading(jobs: int = 2, **more: object) -> Reading:
    return Reading(redaction=RedactionPolicy(), key=KEY, jobs=jobs, **more)  # type: ignore[arg-type]


def line(first: int, spans: int = 3) -> str:
    inside = ",".join(SPAN.format(n=n) for n in range(first, first + spans))
    return f'{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{inside}]}}]}}]}}\n'


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    path = tmp_path / "mixed.jsonl"
    bad = ["[1]\n", "{\n", '{"resourceSpans":[{"scopeSpans":[{"spans":[{}]}]}]}\n']
    path.write_text("".join(line(10 * n + 1) + (bad[n % 3] if n % 5 == 0 else "") for n in range(60)) + '{"cut')
    return path


@pytest.fixture
def long_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few lines count as a long file."""
    monkeypatch.setattr(module, "PORTION_BYTES", 2_000)
    monkeypatch.setattr(module, "SHORT_BYTES", 4_000)


def expected(path: Path) -> list[Encoded | Rejected]:
    return [
        item if isinstance(item, Rejected) else Encoded(record_time_ns(item), encode_record(item))
        for item in read_files([path], Redactor(RedactionPolicy(), KEY))
    ]


@pytest.mark.usefixtures("long_files")
@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_read_does_not_depend_on_how_many_read_it(mixed: Path, jobs: int) -> None:
    found = list(read_encoded([mixed], reading(jobs)))
    assert found == expected(mixed)
    assert sum(isinstance(item, Rejected) for item in found) > 12


@pytest.mark.usefixtures("long_files")
def test_a_process_that_dies_is_told_with_the_place(mixed: Path) -> None:
    with pytest.raises(InputError, match=r"mixed\.jsonl:1\b"):
        list(read_encoded([mixed], reading(begin=die)))


@pytest.mark.usefixtures("long_files")
def test_a_process_that_hangs_is_told_with_the_place(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.5)
    with pytest.raises(InputError, match=r"mixed\.jsonl:1\b.*not read within"):
        list(read_encoded([mixed], reading(begin=hang)))


@pytest.mark.usefixtures("long_files")
def test_a_long_file_without_a_usable_line_is_refused_with_its_first_bad_one(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("[1, 2, 3]\n" * 2_000)
    with pytest.raises(InputError, match=r"bad\.jsonl:1"):
        list(read_encoded([path], reading()))


def test_a_short_file_is_read_without_another_process(mixed: Path) -> None:
    assert list(read_encoded([mixed], reading(begin=die))) == expected(mixed)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(InputError, match="no line at all"):
        list(read_encoded([tmp_path / "empty.jsonl"], reading()))


def test_progress_is_told_to_the_end(mixed: Path) -> None:
    told: list[tuple[int, int]] = []
    list(read_encoded([mixed], reading(), lambda done, total: told.append((done, total))))
    assert told[-1] == (mixed.stat().st_size, mixed.stat().st_size)
