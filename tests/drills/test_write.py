import gzip
from pathlib import Path

import msgspec
import orjson
import pytest

from holdfast.core.call import Call
from holdfast.drills.scenario import Scenario, play, prepare
from holdfast.drills.write import BATCH_SPANS, Tally, by_end, cloudevent, lines, main, truth, write

SICK = Scenario(fault="wrong_embedder", calls=250, fault_at=0.5)


def requests(path: Path) -> list[dict[str, object]]:
    with gzip.open(path) as file:
        return [orjson.loads(line) for line in file]


def test_a_scenario_is_written_as_traces_changes_and_truth(tmp_path: Path) -> None:
    paths = write(SICK, tmp_path / "new")
    known = orjson.loads(paths.truth.read_bytes())
    spans = [s for r in requests(paths.traces) for s in r["resourceSpans"][0]["scopeSpans"][0]["spans"]]  # type: ignore[index]
    assert known["spans"] == len(spans)
    assert known["traces"] == len({span["traceId"] for span in spans}) == 250
    assert known["fault"] == "wrong_embedder"
    assert known["layer"] == "input_data"
    assert set(known["affected"]) <= {span["traceId"] for span in spans}
    changes = [orjson.loads(line) for line in paths.changes.read_bytes().splitlines()]
    assert known["change_id"] in {change["id"] for change in changes}
    assert not list((tmp_path / "new").glob("*.partial"))


def test_the_same_scenario_is_written_byte_for_byte_alike(tmp_path: Path) -> None:
    one, other = write(SICK, tmp_path / "one"), write(SICK, tmp_path / "other")
    for a, b in zip(one, other, strict=True):
        assert a.read_bytes() == b.read_bytes()


def test_another_seed_is_written_differently(tmp_path: Path) -> None:
    one, other = write(SICK, tmp_path / "one"), write(msgspec.structs.replace(SICK, seed=2), tmp_path / "other")
    assert one.traces.read_bytes() != other.traces.read_bytes()


def test_spans_leave_in_order_of_their_end_and_roots_come_last_in_their_trace() -> None:
    seen: set[str] = set()
    last = 0
    for call, _ in by_end(play(prepare(SICK))):
        assert call.end_ns >= last
        last = call.end_ns
        assert call.trace_id not in seen
        if not call.parent_span_id:
            seen.add(call.trace_id)
    assert len(seen) == 250


def test_a_line_is_an_export_request_of_one_process_within_the_batch_size() -> None:
    for line in lines(prepare(SICK), play(prepare(SICK))):
        (resource_spans,) = orjson.loads(line)["resourceSpans"]
        resource = {a["key"]: a["value"] for a in resource_spans["resource"]["attributes"]}
        assert resource["service.name"] == {"stringValue": "support-assistant"}
        assert resource["service.instance.id"]["stringValue"].startswith(resource["cloud.region"]["stringValue"])
        assert 0 < len(resource_spans["scopeSpans"][0]["spans"]) <= BATCH_SPANS


def test_healthy_truth_names_no_fault_and_nobody_affected() -> None:
    prepared, tally = prepare(Scenario(calls=100)), Tally()
    for _ in tally.count(play(prepared)):
        pass
    known = truth(prepared, tally)
    assert (known["fault"], known["decoy"], known["traces"]) == (None, None, 100)
    assert "affected" not in known


def test_a_second_fault_has_its_own_truth() -> None:
    prepared, tally = prepare(Scenario(fault="stale_index", second="agent_loop", calls=300)), Tally()
    for _ in tally.count(play(prepared)):
        pass
    known = truth(prepared, tally)
    assert known["second"]["fault"] == "agent_loop"
    assert known["second"]["affected"]
    assert known["onset_ns"] < known["second"]["onset_ns"]


def test_a_change_is_a_cloudevent_of_our_type() -> None:
    event = cloudevent(prepare(SICK).changes[0])
    assert event["type"] == "holdfast.change.v1"
    assert event["specversion"] == "1.0"
    assert set(event["data"]) == {"kind", "target", "from", "to", "scope"}
    assert event["data"]["scope"]["service.name"] == "support-assistant"


def test_a_decoy_of_missing_spans_loses_some_but_no_roots(tmp_path: Path) -> None:
    paths = write(Scenario(decoy="missing_spans", calls=250), tmp_path)
    spans = [s for r in requests(paths.traces) for s in r["resourceSpans"][0]["scopeSpans"][0]["spans"]]  # type: ignore[index]
    known = orjson.loads(paths.truth.read_bytes())
    assert len(spans) < known["spans"]
    assert sum("parentSpanId" not in span for span in spans) == 250


def test_the_command_takes_every_field_of_a_scenario(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [
        "--out",
        str(tmp_path),
        "--calls",
        "60",
        "--seed",
        "9",
        "--cohort",
        "tenant=alder,region=us-east-1",
        "--ramp",
        "linear",
    ]
    assert main(["max_tokens_too_low", *options]) == 0
    known = orjson.loads((tmp_path / "truth.json").read_bytes())
    assert known["cohort"] == {"tenant": "alder", "region": "us-east-1"}
    assert known["scenario"]["ramp"] == "linear"
    assert "truth.json" in capsys.readouterr().out


def test_the_command_writes_decoys_and_healthy_traffic_too(tmp_path: Path) -> None:
    for name in ("surge", "healthy"):
        assert main([name, "--out", str(tmp_path / name), "--calls", "40"]) == 0
    assert orjson.loads((tmp_path / "surge" / "truth.json").read_bytes())["decoy"] == "surge"


@pytest.mark.parametrize(
    "arguments", [["gremlins"], ["healthy", "--calls", "many"], ["healthy", "--calls", "0"], ["stale_index", "--decoy", "surge"]]
)
def test_a_wrong_argument_is_named_and_ends_with_2(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err


def test_an_option_without_value_is_refused() -> None:
    with pytest.raises(SystemExit, match="one value"):
        main(["healthy", "--calls"])


def test_help_lists_faults_and_decoys(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert "stale_index" in shown
    assert "surge" in shown


def test_memory_holds_only_traces_under_way() -> None:
    produced = 0

    def counted() -> object:
        nonlocal produced
        for trace in play(prepare(SICK)):
            produced += 1
            yield trace

    first: tuple[Call, str] = next(iter(by_end(counted())))  # type: ignore[arg-type]
    assert first
    assert produced < 10
