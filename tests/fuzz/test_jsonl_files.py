"""Files of any content: read line by line, or an InputError that names the file."""

import gzip
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.core.errors import InputError
from holdfast.ingest.jsonl import read_files
from holdfast.ingest.record import Rejected
from tests.ingest.otlp.bodies import Words, as_json, span, traces

GOOD = as_json(traces(span(name="good"))) + b"\n"
quick = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@given(content=st.binary(max_size=400), packed=st.booleans(), suffix=st.sampled_from([".jsonl", ".json"]))
@quick
def test_any_file_is_read_or_named(tmp_path: Path, content: bytes, packed: bool, suffix: str) -> None:
    path = tmp_path / f"fuzz{suffix}"
    path.write_bytes(gzip.compress(content) if packed else content)
    refused = ""
    try:
        list(read_files([path], Words()))
    except InputError as error:
        refused = str(error)
    assert not refused or str(path) in refused


@given(
    bad=st.lists(st.binary(max_size=60).filter(lambda b: b"\n" not in b and b[:2] != b"\x1f\x8b"), max_size=6),
    cut=st.integers(0, 200),
)
@quick
def test_good_lines_among_bad_ones_are_all_kept(tmp_path: Path, bad: list[bytes], cut: int) -> None:
    path = tmp_path / "mixed.jsonl"
    content = GOOD + b"".join(line + b"\n" + GOOD for line in bad)
    path.write_bytes(content + GOOD[: min(cut, len(GOOD) - 20)])
    found = list(read_files([path], Words()))
    assert sum(1 for item in found if not isinstance(item, Rejected)) == len(bad) + 1
    assert all(str(path) in item.where for item in found if isinstance(item, Rejected))
