"""An analysis of files: what it counts, and what it refuses."""

from pathlib import Path

import orjson
import pytest

from holdfast.app.analysis import AnalysisInput, analyze
from holdfast.core.errors import InputError
from holdfast.drills.scenario import Scenario
from holdfast.drills.write import write
from holdfast.ingest.record import Rejected
from holdfast.report.analysis import ChangesRead
from holdfast.settings import Settings
from tests.ingest.otlp.bodies import NOW, SPAN, TRACE, key_values, logs, span, traces


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("healthy")
    return write(Scenario(fault="", calls=60, hours=1, seed=2), folder).traces


def test_a_file_without_one_usable_line_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text("{\n")
    with pytest.raises(InputError, match=r"broken\.jsonl:1"):
        analyze(AnalysisInput([path]), Settings())


def test_what_cannot_be_used_is_told_and_counted_and_the_rest_is_analysed(healthy: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text("[1, 2]\n")
    told: list[Rejected] = []
    found = analyze(AnalysisInput([broken, healthy], on_rejected=told.append), Settings())
    assert found.rejected == len(told) > 0
    assert found.calls > 60


def test_the_progress_of_the_replay_ends_at_all_records(healthy: Path) -> None:
    seen: list[tuple[int, int]] = []
    found = analyze(AnalysisInput([healthy], on_replayed=lambda done, total: seen.append((done, total))), Settings())
    assert seen[-1][0] == seen[-1][1] >= found.calls


def test_every_scorer_is_accounted_for_on_every_trace(healthy: Path) -> None:
    found = analyze(AnalysisInput([healthy]), Settings())
    assert {sum(counts.values()) for counts in found.coverage.values()} == {60}


DAY_NS = 86_400 * 10**9
GOOD_CHANGE = {
    "type": "holdfast.change.v1",
    "time": "2026-09-21T14:00:00Z",
    "data": {"kind": "prompt", "target": "system-prompt", "scope": {"route": "/chat", "customer": "acme"}},
}


def lines(path: Path, *documents: object) -> Path:
    path.write_bytes(b"\n".join(orjson.dumps(document) for document in documents))
    return path


@pytest.fixture
def one_request(tmp_path: Path) -> Path:
    chat = span({"gen_ai.operation.name": "chat", "http.route": "/chat"})
    tool = span({"gen_ai.operation.name": "execute_tool"}, spanId="1" * 16, parentSpanId=SPAN)
    return lines(tmp_path / "traces.jsonl", traces(chat, tool))


def judged(time_ns: int, **ids: str) -> dict[str, object]:
    attributes = {"gen_ai.evaluation.name": "helpful", "gen_ai.evaluation.score.value": 0.5}
    return logs(
        {"timeUnixNano": str(time_ns), "eventName": "gen_ai.evaluation.result", "attributes": key_values(attributes), **ids}
    )


@pytest.mark.parametrize(
    "ids",
    [{}, {"traceId": "2" * 32}, {"traceId": "2" * 32, "spanId": "3" * 16}, {"traceId": TRACE, "spanId": SPAN}],
    ids=["of nothing", "of a trace that never came", "of a call that never came", "of a call a day ago"],
)
def test_a_judgement_apart_from_its_span_is_no_call_no_request_and_no_longer_period(
    one_request: Path, tmp_path: Path, ids: dict[str, str]
) -> None:
    late = lines(tmp_path / "logs.jsonl", judged(NOW + DAY_NS, **ids))
    found = analyze(AnalysisInput([one_request, late]), Settings())
    assert (found.calls, found.requests) == (2, 1)
    assert (found.start_ns, found.end_ns) == (NOW, NOW + 1_500_000_000)
    assert [told.requests for told in found.instrumentation] == [1]


def test_a_file_with_judgements_of_nothing_holds_no_call(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no call"):
        analyze(AnalysisInput([lines(tmp_path / "logs.jsonl", judged(NOW))]), Settings())


def test_changes_are_counted_and_what_no_call_carries_is_named(one_request: Path, tmp_path: Path) -> None:
    changes = lines(tmp_path / "changes.jsonl", GOOD_CHANGE, {"type": "other"}, GOOD_CHANGE)
    told: list[Rejected] = []
    found = analyze(AnalysisInput([one_request], changes, on_rejected=told.append), Settings())
    assert found.changes == ChangesRead(2, 1, ["customer"])
    assert [rejected.where for rejected in told] == [f"{changes}:2"]
    assert found.rejected == 1


def test_a_file_of_changes_without_one_that_can_be_used_is_refused_with_its_first_line(one_request: Path, tmp_path: Path) -> None:
    changes = lines(tmp_path / "changes.jsonl", {"type": "other"}, [1])
    with pytest.raises(InputError, match=r"changes\.jsonl:1.*no change that can be used"):
        analyze(AnalysisInput([one_request], changes), Settings())


def test_an_empty_file_of_changes_says_that_nothing_was_changed(one_request: Path, tmp_path: Path) -> None:
    found = analyze(AnalysisInput([one_request], lines(tmp_path / "changes.jsonl")), Settings())
    assert found.changes == ChangesRead(0, 0, [])
