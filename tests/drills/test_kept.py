import gzip
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from holdfast.core.change import Change, ChangeKind
from holdfast.core.errors import InputError, NotFoundError, StoreError
from holdfast.core.score import Failed, Score
from holdfast.core.trace import ScoredTrace
from holdfast.detect.detection import Detection
from holdfast.drills import kept
from holdfast.drills.conventional import Sample
from holdfast.drills.kept import Keeper, Kept, path_of, read_kept, scenario_of
from holdfast.drills.outcome import Request
from holdfast.drills.scenario import Scenario
from holdfast.testing.telemetry import MemoryTelemetry
from tests.detect.replay import feed
from tests.detect.simulation import METRICS, Fault, Script, traffic

PLAYED = Scenario(fault="agent_loop", seed=7)
TRACES = traffic(Script(seconds=3000, faults=[Fault(2000.0, "ungrounded_answer", 0.6)]))
CHANGE = Change(id="c1", time_ns=5, kind=ChangeKind.PROMPT, scope={"route": "/a"})
REQUESTS = [Request("t1", 9, {"route": ("/a",)}, ("agent_loop",))]
SAMPLES = [Sample(9, 800.0, 0.0, 0.01, 300.0)]


def keep(folder: Path, traces: list[ScoredTrace] = TRACES, scenario: Scenario = PLAYED) -> Kept:
    keeper = Keeper({"lexical": "1"})
    for at in range(0, len(traces), 300):
        keeper.note(at, [CHANGE] if at == 0 else [], traces[at : at + 300])
    keeper.write(folder, scenario, REQUESTS, SAMPLES)
    return read_kept(folder, scenario)


def flat(found: Kept) -> list[ScoredTrace]:
    return [trace for _, _, scored in found.scored() for trace in scored]


def test_scores_come_back_in_their_portions_with_their_changes_and_the_truth(tmp_path: Path) -> None:
    found = keep(tmp_path)
    portions = list(found.scored())
    assert [(now_ns, len(scored)) for now_ns, _, scored in portions][:2] == [(0, 300), (300, 300)]
    assert portions[0][1] == [CHANGE]
    assert (found.scenario, found.requests, found.samples, found.scorers) == (PLAYED, REQUESTS, SAMPLES, {"lexical": "1"})
    assert [one.scores for one in flat(found)] == [one.scores for one in TRACES]


def test_a_file_of_scores_says_which_drill_it_is_of(tmp_path: Path) -> None:
    keep(tmp_path)
    assert [scenario_of(path) for path in tmp_path.iterdir()] == [PLAYED]


def test_what_detection_makes_of_kept_scores_is_what_it_made_of_them_first(tmp_path: Path) -> None:
    first, again = feed(Detection(METRICS), TRACES), feed(Detection(METRICS), flat(keep(tmp_path)))
    assert first
    assert again == first


def test_diagnosis_sees_the_same_columns(tmp_path: Path) -> None:
    names = list(METRICS)
    before, after = (MemoryTelemetry(t).observations("support", names, 0, 2**62) for t in (TRACES, flat(keep(tmp_path))))
    for name in names:
        assert before[name].trace_id == after[name].trace_id
        assert before[name].dimensions == after[name].dimensions
        assert before[name].value.tolist() == after[name].value.tolist()


def test_no_text_reaches_the_disk(tmp_path: Path) -> None:
    secret = "the customer's own words"
    one = TRACES[0]
    call = msgspec.structs.replace(one.trace.calls[0], input_text=secret, attributes={"a": secret})
    told = tuple(msgspec.structs.replace(score, why=secret) for score in one.scores)
    failed = Failed(
        trace_id=one.trace.trace_id, span_id="", scorer="lexical", version="1", error_type="ValueError", message=secret
    )
    found = keep(tmp_path, [ScoredTrace(type(one.trace)(one.trace.trace_id, (call,)), told, (failed,))])
    (path,) = tmp_path.iterdir()
    assert secret.encode() not in gzip.decompress(path.read_bytes())
    assert [f.error_type for f in flat(found)[0].failures] == ["ValueError"]


def test_a_score_about_a_span_that_is_not_there_keeps_its_span(tmp_path: Path) -> None:
    one = TRACES[0]
    scores = (Score(trace_id=one.trace.trace_id, span_id="ffff", metric="error", value=1.0, scorer="s", version="2"),)
    (found,) = flat(keep(tmp_path, [ScoredTrace(one.trace, scores)]))
    assert found.scores == scores


def test_the_same_scores_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        keep(tmp_path / name)
    (one,), (other,) = ((tmp_path / name).iterdir() for name in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()


def test_scenarios_that_differ_in_anything_have_files_of_their_own(tmp_path: Path) -> None:
    scenarios = [
        PLAYED,
        *(msgspec.structs.replace(PLAYED, **change) for change in ({"calls": 10}, {"seed": 8}, {"severity": 0.5})),
    ]
    assert max(Counter(path_of(tmp_path, each) for each in scenarios).values()) == 1
    assert path_of(tmp_path, PLAYED).name.startswith("agent_loop-7_")
    assert path_of(tmp_path, Scenario()).name.startswith("healthy-1_")


def test_a_drill_that_was_not_kept_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="--keep-scores"):
        read_kept(tmp_path, PLAYED)


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense", gzip.compress(b"nonsense"), gzip.compress(b"\x80"), gzip.compress(b"x")[:-4]],
    ids=["empty", "not packed", "packed nonsense", "of another shape", "cut"],
)
def test_a_broken_file_is_refused_by_name(tmp_path: Path, data: bytes) -> None:
    path_of(tmp_path, PLAYED).write_bytes(data)
    with pytest.raises(InputError, match="agent_loop-7"):
        read_kept(tmp_path, PLAYED)


def test_another_format_is_refused(tmp_path: Path) -> None:
    found = msgspec.structs.replace(keep(tmp_path), format=99)
    path_of(tmp_path, PLAYED).write_bytes(gzip.compress(msgspec.msgpack.encode(found)))
    with pytest.raises(InputError, match="format 99"):
        read_kept(tmp_path, PLAYED)


def test_a_file_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MAX_BYTES", 1000)
    with pytest.raises(InputError, match="more than 1000 bytes"):
        keep(tmp_path)


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    path_of(tmp_path, PLAYED).with_suffix(".new").mkdir()
    with pytest.raises(StoreError):
        keep(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file"):
        keep(tmp_path / "file")
