import gzip
import io
import json
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.call import Call, EvaluationRecord, MetricPoint
from holdfast.core.change import Change
from holdfast.core.errors import InputError
from holdfast.ingest import jsonl
from holdfast.ingest.jsonl import read_files
from holdfast.ingest.record import Record, Rejected
from tests.ingest.otlp.bodies import NOW, Words, as_json, key_values, logs, metrics, span, traces

CHANGE = {"type": "holdfast.change.v1", "time": "2026-11-23T10:00:00Z", "data": {"kind": "prompt", "to": "7"}}


def read(*paths: Path | str) -> list[Record | Rejected]:
    return list(read_files(paths, Words()))


def names(items: list[Record | Rejected]) -> list[str]:
    return [i.name for i in items if isinstance(i, Call)]


def rejected(items: list[Record | Rejected]) -> list[Rejected]:
    return [i for i in items if isinstance(i, Rejected)]


def line(name: str) -> bytes:
    return as_json(traces(span(name=name))) + b"\n"


def test_every_shape_of_line_is_read(tmp_path: Path) -> None:
    record = {
        "timeUnixNano": str(NOW),
        "eventName": "user_feedback",
        "attributes": key_values({"score": 0.0, "gen_ai.response.id": "r"}),
    }
    point = {"name": "gpu", "gauge": {"dataPoints": [{"timeUnixNano": str(NOW), "asDouble": 1.0}]}}
    documents = [
        traces(span()),
        traces(span())["resourceSpans"][0],
        logs(record),
        metrics(point),
        CHANGE,
        [traces(span()), CHANGE],
    ]
    path = tmp_path / "all.jsonl"
    path.write_bytes(b"\n".join(as_json(d) for d in documents))
    assert [type(r) for r in read(path)] == [Call, Call, EvaluationRecord, MetricPoint, Change, Call, Change]


def test_bad_lines_are_named_and_the_others_kept(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(
        line("a")
        + b"{broken\n"
        + b"\n"
        + b'{"other": 1}\n'
        + as_json(traces(span(traceId="")))
        + b"\n"
        + as_json({**CHANGE, "time": "x"})
        + b"\n"
        + line("b")
    )
    found = read(path)
    assert names(found) == ["a", "b"]
    assert [r.where for r in rejected(found)] == [
        f"{path}:2",
        f"{path}:4",
        f"{path}:5 resourceSpans[0].scopeSpans[0].spans[0]",
        f"{path}:6",
    ]


def test_a_file_cut_in_the_middle_gives_everything_before_the_cut(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes((line("a") + line("b") + line("c"))[:-40])
    found = read(path)
    assert names(found) == ["a", "b"]
    (cut,) = rejected(found)
    assert cut.where == f"{path}:3"
    assert "cut off" in cut.reason


def test_a_last_line_without_a_break_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(line("a") + line("b")[:-1])
    assert names(read(path)) == ["a", "b"]


def test_a_gzip_file_is_told_by_its_content_and_a_cut_one_gives_what_is_before(tmp_path: Path) -> None:
    whole = b"".join(line(f"s{i}") for i in range(2000))
    packed = gzip.compress(whole)
    path = tmp_path / "named_as_it_likes"
    path.write_bytes(packed)
    assert len(read(path)) == 2000
    path.write_bytes(packed[: len(packed) // 2])
    found = read(path)
    assert names(found) == [f"s{i}" for i in range(len(found) - 1)]
    assert len(found) > 100
    (cut,) = rejected(found)
    assert cut.where == f"{path}:{len(found)}"
    assert "cut off" in cut.reason


def test_a_damaged_gzip_file_is_named_where_it_breaks(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"".join(line(f"s{i * 7919 % 100_003}") for i in range(5000))))
    packed[len(packed) // 2] ^= 0xFF
    path = tmp_path / "t.jsonl.gz"
    path.write_bytes(packed)
    found = read(path)
    assert len(names(found)) > 500
    assert all(r.where.startswith(f"{path}:") for r in rejected(found))
    assert rejected(found)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("shape", ["one", "array"])
def test_a_json_file_holds_one_document_or_an_array_of_them(tmp_path: Path, indent: int | None, shape: str) -> None:
    path = tmp_path / "t.json"
    document = traces(span(name="a"))
    path.write_text(json.dumps(document if shape == "one" else [document, traces(span(name="b"))], indent=indent))
    assert names(read(path)) == (["a"] if shape == "one" else ["a", "b"])


def test_a_broken_part_of_an_array_is_named_by_its_index(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_bytes(as_json([traces(span(name="a")), {"no": 1}, traces(span(spanId="x"))]))
    found = read(path)
    assert [r.where for r in rejected(found)] == [f"{path}:1 [1]", f"{path}:1 [2].resourceSpans[0].scopeSpans[0].spans[0]"]


def test_a_directory_is_read_by_name_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.jsonl").write_bytes(line("b"))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(line("a")))
    (tmp_path / "sub" / "c.json").write_bytes(line("c"))
    (tmp_path / "notes.txt").write_text("not telemetry")
    assert names(read(tmp_path)) == ["a", "b", "c"]


def test_standard_input_is_a_dash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    packed = tmp_path / "in"
    packed.write_bytes(gzip.compress(line("a") + line("b")))
    for data in (line("a") + line("b"), packed.read_bytes()):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert names(read("-")) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"rubbish\nmore\n", ":1"),
        (b"\n\n{}\n", ":3"),
        (b"", ""),
        (b"\n \n", ""),
        (b'{"resourceSpans": 1}', ":1"),
        (b"\x1f\x8b broken", ":1"),
        (b"[1, 2]", ":1"),
    ],
)
def test_a_file_without_one_usable_line_is_an_error_that_names_the_first_bad_one(
    tmp_path: Path, content: bytes, place: str
) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read(path)
    assert f"{path}{place}" in str(caught.value)


def test_a_valid_line_without_spans_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b'{"resourceSpans": []}\n')
    assert read(path) == []


def test_paths_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone"):
        read(tmp_path / "gone.jsonl")
    with pytest.raises(InputError, match="holds no file"):
        read(tmp_path)
    with pytest.raises(InputError, match="no file is given"):
        read()


def test_a_line_over_the_limit_is_refused_and_the_next_one_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "MAX_BODY_BYTES", 2000)
    path = tmp_path / "t.jsonl"
    path.write_bytes(line("a") + b"x" * 9000 + b"\n" + line("b"))
    found = read(path)
    assert names(found) == ["a", "b"]
    assert [(r.where, "longer than" in r.reason) for r in rejected(found)] == [(f"{path}:2", True)]


def test_progress_ends_at_the_size_of_all_files(tmp_path: Path) -> None:
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"]
    files[0].write_bytes(line("a") * 10)
    files[1].write_bytes(gzip.compress(line("b") * 10))
    total = sum(f.stat().st_size for f in files)
    told: list[tuple[int, int]] = []
    assert len(list(read_files(files, Words(), lambda done, of: told.append((done, of))))) == 20
    assert told[-1] == (total, total)
    assert told == sorted(told)


def test_memory_does_not_grow_with_the_length_of_a_file(tmp_path: Path) -> None:
    def peak(lines: int) -> int:
        path = tmp_path / f"{lines}.jsonl.gz"
        path.write_bytes(gzip.compress(as_json(traces(span({"note": "x" * 2000}))) * 1 + b"\n") * lines)
        found: Iterator[Any] = read_files([path], Words())
        tracemalloc.start()
        try:
            assert sum(1 for _ in found) == lines
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    plain_bytes = 4000 * 2300
    assert peak(4000) < peak(200) + plain_bytes // 4
