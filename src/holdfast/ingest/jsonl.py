"""Files of OTLP/JSON lines and change events → records, one line in memory at a time."""

import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from holdfast.core.errors import InputError
from holdfast.ingest.changes import change_of, is_change
from holdfast.ingest.limits import MAX_BODY_BYTES
from holdfast.ingest.otlp import DOCUMENT_KEYS, Redactor, decode_document
from holdfast.ingest.otlp.json_body import load
from holdfast.ingest.record import Record, Rejected

Progress = Callable[[int, int], None]
"""Called with bytes read and bytes in total (of the files as they are on disk; 0 in total for standard input)."""

STDIN = "-"
_SUFFIXES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".json", ".json.gz")
_DOCUMENT_SUFFIXES = (".json", ".json.gz")
_MAX_DOCUMENT_BYTES = 4 * MAX_BODY_BYTES
"""Of a file that is one JSON document and so has to be read as a whole."""
_STEP_BYTES = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_BARE = {"scopeSpans": "resourceSpans", "scopeLogs": "resourceLogs", "scopeMetrics": "resourceMetrics"}


class Line(NamedTuple):
    """A line of a file, and where it stands."""

    place: str
    data: bytes
    complete: bool
    """False for the last line of a file that does not end in a line break."""
    damage: str = ""
    """Why nothing can be read from here on."""


def read_files(
    paths: Sequence[Path | str], redactor: Redactor, on_progress: Progress | None = None
) -> Iterator[Record | Rejected]:
    """Everything in these files, in their order: `lines_of`, each through `records_of`.

    Raises:
        InputError: a file cannot be opened, or there is not one usable line; names the file and its first bad line.
    """
    seen = Seen(paths)
    for line in lines_of(paths, on_progress):
        seen.lines += 1
        for item in records_of(line, redactor):
            seen.note(item)
            yield item
    seen.check()


def lines_of(paths: Sequence[Path | str], on_progress: Progress | None = None) -> Iterator[Line]:
    """Every line of these files that is not blank, in their order.

    A path is a file (plain or gzip, told by content), a directory (its .jsonl, .ndjson and .json files, at any depth, by
    name), or ``-`` for standard input. A .json file may be one document over many lines, which then counts as one line.

    Raises:
        InputError: a file cannot be opened, or there is none.
    """
    files = _expanded(paths)
    total = sum(Path(f).stat().st_size for f in files if f != STDIN)
    before = 0
    for file in files:
        with _opened(file) as source:
            told = -_STEP_BYTES
            for line in _lines(source, file):
                yield line
                read = _position(source)
                if on_progress is not None and read - told >= _STEP_BYTES:
                    told = read
                    on_progress(before + read, total)
            before += _position(source)
            if on_progress is not None:
                on_progress(before, total)


class Seen:
    """Whether anything of these files was usable, and the first thing that was not."""

    def __init__(self, paths: Sequence[Path | str]) -> None:
        self._paths = paths
        self.lines = 0
        self.records = 0
        self.first_bad: Rejected | None = None

    def note(self, item: object) -> None:
        """A record in any form, or what was rejected."""
        if not isinstance(item, Rejected):
            self.records += 1
        elif self.first_bad is None and not item.ignored:
            self.first_bad = item

    def check(self) -> None:
        """Refuse files of which nothing was usable.

        Raises:
            InputError: names the files, or their first bad line.
        """
        if self.records:
            return
        if self.first_bad is not None:
            raise InputError(f"no usable line; the first bad one: {self.first_bad.reason}", self.first_bad.where)
        if not self.lines:
            raise InputError("no line at all", ", ".join(str(path) for path in self._paths))


def _expanded(paths: Sequence[Path | str]) -> list[str]:
    found: list[str] = []
    for given in paths:
        path = Path(given)
        if str(given) == STDIN:
            found.append(STDIN)
        elif path.is_dir():
            inside = sorted(str(p) for p in path.rglob("*") if p.is_file() and p.name.lower().endswith(_SUFFIXES))
            if not inside:
                raise InputError(f"directory holds no file that ends in {', '.join(_SUFFIXES)}", str(given))
            found += inside
        elif path.exists():
            found.append(str(given))
        else:
            raise InputError("no such file or directory", str(given))
    if not found:
        raise InputError("no file is given")
    return found


class _Source(NamedTuple):
    raw: BinaryIO
    lines: BinaryIO
    """The same, decompressed."""


@contextmanager
def _opened(file: str) -> Iterator[_Source]:
    if file == STDIN:
        yield _source(sys.stdin.buffer)
        return
    try:
        raw = Path(file).open("rb")  # noqa: SIM115  closed below; only opening it may be refused here
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file) from error
    with raw:
        yield _source(raw)


def _source(raw: BinaryIO) -> _Source:
    buffered = io.BufferedReader(raw)  # type: ignore[type-var]
    packed = buffered.peek(2)[:2] == _GZIP_MAGIC
    return _Source(buffered, io.BufferedReader(gzip.GzipFile(fileobj=buffered)) if packed else buffered)


def _position(source: _Source) -> int:
    return source.raw.tell() if source.raw.seekable() else 0


def _lines(source: _Source, file: str) -> Iterator[Line]:
    """Lines with their places; where the file breaks off, a last one that is not complete."""
    number = 0
    while True:
        number += 1
        place = f"{file}:{number}"
        try:
            data = source.lines.readline(MAX_BODY_BYTES + 1)
            if number == 1 and _is_document(data, file):
                data += source.lines.read(_MAX_DOCUMENT_BYTES + 1)
            elif len(data) > MAX_BODY_BYTES:
                _skip_line(source.lines)
        except (EOFError, OSError, zlib.error) as error:
            yield Line(place, b"", complete=False, damage=str(error))
            return
        if not data:
            return
        if data.strip():
            yield Line(place, data, complete=data.endswith(b"\n"))


def _is_document(first: bytes, file: str) -> bool:
    """Whether a file is one JSON document over several lines."""
    start = first.strip()
    if start in (b"{", b"["):
        return True
    if not file.lower().endswith(_DOCUMENT_SUFFIXES):
        return False
    try:
        load(first)
    except InputError:
        return True
    return False


def _skip_line(lines: BinaryIO) -> None:
    while True:
        more = lines.readline(_STEP_BYTES)
        if not more or more.endswith(b"\n"):
            return


def records_of(line: Line, redactor: Redactor) -> Iterator[Record | Rejected]:
    """What a line holds: OTLP/JSON requests or bare elements of them, or CloudEvents of changes.

    What cannot be used is yielded as `Rejected` with file and line, and so is the place where a file is cut off.
    """
    if line.damage:
        yield Rejected(line.place, f"file is cut off or damaged here: {line.damage}")
        return
    limit = _MAX_DOCUMENT_BYTES if line.place.endswith(":1") else MAX_BODY_BYTES
    if len(line.data) > limit:
        yield Rejected(line.place, f"line is longer than {limit} bytes")
        return
    try:
        parsed = load(line.data)
    except InputError as error:
        yield Rejected(
            line.place, error.message if line.complete else f"file is cut off in the middle of a line: {error.message}"
        )
        return
    documents = parsed if isinstance(parsed, list) else [parsed]
    for index, document in enumerate(documents):
        yield from _of_document(document, line.place, f"[{index}]" if isinstance(parsed, list) else "", redactor)


def _of_document(document: Any, place: str, inside: str, redactor: Redactor) -> Iterator[Record | Rejected]:
    where = f"{place} {inside}" if inside else place
    if is_change(document):
        try:
            yield change_of(document, redactor=redactor)
        except InputError as error:
            yield Rejected(where, redactor.text(str(error)))
        return
    request = _request(document)
    if request is None:
        yield Rejected(where, f"neither OTLP/JSON ({', '.join(DOCUMENT_KEYS)}) nor a change event")
        return
    decoded = decode_document(request, redactor)
    yield from decoded.records
    for rejected in decoded.rejected:
        path = f"{inside}.{rejected.where}" if inside else rejected.where
        yield Rejected(f"{place} {path}", redactor.text(rejected.reason), rejected.ignored, rejected.lost)


def _request(document: Any) -> dict[str, Any] | None:
    """An OTLP request, also of a bare element of one; None where it is neither."""
    if not isinstance(document, dict):
        return None
    if any(key in document for key in DOCUMENT_KEYS):
        return document
    return next(({outer: [document]} for inner, outer in _BARE.items() if inner in document), None)
