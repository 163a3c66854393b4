"""`analyze` reads files as they are, and its document is a contract."""

import gzip
from pathlib import Path

import orjson
import pytest

from holdfast.drills.scenario import Scenario
from holdfast.drills.write import write
from tests.cli.conftest import Shell


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drill")
    write(Scenario(fault="grounding_rule_dropped", calls=900, hours=3, seed=5), folder)
    return folder


def analysed(shell: Shell, *words: str, stdin: bytes = b"") -> dict[str, object]:
    found: dict[str, object] = orjson.loads(shell.run("analyze", "--json", *words, stdin=stdin).stdout)
    return found


def test_a_fault_becomes_an_incident_that_names_cohort_layer_and_change(shell: Shell, drill: Path) -> None:
    truth = orjson.loads((drill / "truth.json").read_bytes())
    found = analysed(shell, str(drill / "traces.jsonl.gz"), "--changes", str(drill / "changes.jsonl"))
    incidents = found["incidents"]
    assert isinstance(incidents, list)
    assert len(incidents) == 1
    (incident,) = incidents
    assert incident["diagnosis"]["layers"][0]["layer"] == "prompt_engineering"
    assert incident["diagnosis"]["causes"][0]["change_id"] == truth["change_id"]
    assert incident["cohort"] == truth["cohort"]
    assert incident["started_at"] <= incident["detected_at"]
    assert sum(layer["probability"] for layer in incident["diagnosis"]["layers"]) == pytest.approx(1, abs=0.01)
    assert {e["trace_id"] for e in incident["evidence"]}


def test_people_get_the_same_in_words(shell: Shell, drill: Path) -> None:
    text = shell.run("analyze", str(drill), "--changes", str(drill / "changes.jsonl")).output
    assert "prompt_engineering" in text
    assert "roll back" in text


def test_standard_input_is_a_file_too(shell: Shell, drill: Path) -> None:
    data = gzip.decompress((drill / "traces.jsonl.gz").read_bytes())
    few = b"\n".join(data.splitlines()[:3])
    found = analysed(shell, "-", stdin=few)
    assert isinstance(found["calls"], int)
    assert found["calls"] > 0
    assert found["incidents"] == []


def test_a_file_cut_in_the_middle_is_used_up_to_the_cut_and_the_place_is_told(shell: Shell, drill: Path) -> None:
    data = gzip.decompress((drill / "traces.jsonl.gz").read_bytes())
    lines = data.splitlines(keepends=True)
    Path("cut.jsonl").write_bytes(lines[0] + lines[1] + lines[2][: len(lines[2]) // 2])
    result = shell.run("analyze", "--json", "cut.jsonl")
    assert orjson.loads(result.stdout)["rejected"] == 1
    assert "cut.jsonl:3" in result.stderr


@pytest.mark.parametrize("content", [b"", b"not json\n", b'{"hello": "world"}\n', b"\xff\xfe\x00"])
def test_a_file_without_one_usable_line_is_refused_by_name(shell: Shell, content: bytes) -> None:
    Path("bad.jsonl").write_bytes(content)
    result = shell.run("analyze", "--json", "bad.jsonl", code=2)
    assert "bad.jsonl" in result.stderr
    assert result.stdout == ""


def test_a_file_of_changes_in_place_of_telemetry_is_refused_with_where_it_belongs(shell: Shell, drill: Path) -> None:
    said = shell.run("analyze", str(drill / "changes.jsonl"), code=2).stderr
    assert "changes.jsonl" in said
    assert "--changes" in said


def test_a_missing_file_is_refused_by_name(shell: Shell) -> None:
    assert "nowhere.jsonl" in shell.run("analyze", "nowhere.jsonl", code=2).stderr


def test_a_missing_changes_file_is_refused_by_name(shell: Shell, drill: Path) -> None:
    result = shell.run("analyze", str(drill / "traces.jsonl.gz"), "--changes", "nowhere.jsonl", code=2)
    assert "nowhere.jsonl" in result.stderr


@pytest.mark.parametrize(
    "content", [b"not json\n", b'\n{"resourceSpans": []}\n', b"\xff\xfe\x00"], ids=["text", "traces", "bytes"]
)
def test_a_changes_file_without_one_usable_line_is_refused_by_name_and_line(shell: Shell, drill: Path, content: bytes) -> None:
    Path("other.jsonl").write_bytes(content)
    result = shell.run("analyze", "--json", str(drill / "traces.jsonl.gz"), "--changes", "other.jsonl", code=2)
    assert f"other.jsonl:{content.count(bytes([10])) or 1}" in result.stderr
    assert result.stdout == ""


def test_what_became_of_changes_is_told_to_people_and_programs(shell: Shell) -> None:
    span = {
        "traceId": "a" * 32, "spanId": "b" * 16, "name": "chat", "startTimeUnixNano": "1763870400000000000",
        "endTimeUnixNano": "1763870401000000000", "attributes": [],
    }  # fmt: skip
    Path("bare.jsonl").write_bytes(orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}))
    data = {"kind": "code", "scope": {"customer": "acme"}}
    change = {"type": "holdfast.change.v1", "time": "2025-11-23T04:00:00Z", "data": data}
    Path("changes.jsonl").write_bytes(orjson.dumps(change) + b"\nnot json\n")
    result = shell.run("analyze", "--json", "bare.jsonl", "--changes", "changes.jsonl")
    found = orjson.loads(result.stdout)
    assert found["changes"] == {"read": 1, "left_out": 1, "unknown_dimensions": ["customer"]}
    assert (found["calls"], found["requests"]) == (1, 1)
    assert "no call carries customer" in result.stderr
    assert "changes.jsonl:2" in result.stderr


def test_what_an_application_never_tells_is_named_and_its_shares_are_in_the_document(shell: Shell) -> None:
    span = {
        "traceId": "a" * 32, "spanId": "b" * 16, "name": "chat", "startTimeUnixNano": "1763870400000000000",
        "endTimeUnixNano": "1763870401000000000",
        "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}],
    }  # fmt: skip
    Path("bare.jsonl").write_bytes(orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}))
    text = shell.run("analyze", "bare.jsonl").output
    assert "unknown_service tells no answer" in text
    assert "unknown_service never tells: route, model" in text
    told = analysed(shell, "bare.jsonl")["instrumentation"]
    assert isinstance(told, dict)
    assert (told["unknown_service"]["requests"], told["unknown_service"]["tells"]["model calls"]) == (1, 1.0)
