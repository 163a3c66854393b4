"""An analysis of files: what it counts, and what it refuses."""

from pathlib import Path

import pytest

from holdfast.app.analysis import AnalysisInput, analyze
from holdfast.core.errors import InputError
from holdfast.drills.scenario import Scenario
from holdfast.drills.write import write
from holdfast.ingest.record import Rejected
from holdfast.settings import Settings


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
