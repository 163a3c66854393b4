"""Drills through the product: small ones, with the real stages."""

from pathlib import Path

import msgspec
import pytest

from holdfast import drilling
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import ConfigurationError, InputError, NotFoundError
from holdfast.diagnose.calibration import Calibration
from holdfast.diagnose.diagnoser import Diagnoser
from holdfast.drilling import Way, drill, drill_from_scores, drill_through_files, outcomes, sweep
from holdfast.drills.outcome import judge
from holdfast.drills.scenario import Scenario
from holdfast.score.registry import METRICS
from holdfast.settings import Settings, load

OUTAGE = Scenario(fault="template_variable_unsubstituted", calls=700, hours=4, fault_at=0.5, seed=3)


def test_a_plain_fault_is_found_and_its_truth_is_told_beside() -> None:
    told: list[tuple[int, int]] = []
    played = drill(OUTAGE, Settings(), lambda done, total: told.append((done, total)))
    (outcome,) = judge(played)
    assert outcome.detected
    assert outcome.harmed > 20
    assert outcome.minutes_to_detect is not None
    assert 0 <= outcome.minutes_to_detect < 120
    assert outcome.named is not None
    assert len(played.requests) == OUTAGE.calls
    assert [c.time_ns for c in played.changes] == sorted(c.time_ns for c in played.changes)
    assert len(played.readings) > 20
    assert told[-1] == (700, 700)


def test_files_and_the_short_cut_around_them_agree() -> None:
    (short,), (files,) = judge(drill(OUTAGE, Settings())), judge(drill_through_files(OUTAGE, Settings()))
    assert short.harmed == files.harmed
    assert short.detected
    assert files.detected
    assert short.named is not None
    assert files.named is not None
    assert (short.named.layer, short.named.change_id) == (files.named.layer, files.named.change_id)
    assert short.minutes_to_detect == pytest.approx(files.minutes_to_detect, abs=10)


@pytest.mark.parametrize("decoy", ["late_spans", "duplicate_spans", "missing_spans"])
def test_a_decoy_of_the_delivery_reaches_the_pipeline_in_its_disorder(decoy: str) -> None:
    played = drill(Scenario(decoy=decoy, calls=150, hours=2), Settings())
    assert len(played.requests) == 150
    assert played.seconds > 0


def test_a_sweep_gives_the_outcomes_in_the_order_of_the_scenarios_whatever_the_processes() -> None:
    small = [Scenario(calls=120, hours=1, seed=seed) for seed in (1, 2, 3)]
    alone = [[msgspec.structs.replace(o, seconds=0.0) for o in found] for found in sweep(small, load())]
    both = [[msgspec.structs.replace(o, seconds=0.0) for o in found] for found in sweep(small, load(), jobs=2)]
    assert alone == both
    assert [found[0].seed for found in alone] == [1, 2, 3]


def test_kept_scores_give_the_same_outcomes_without_text_and_scorers(tmp_path: Path) -> None:
    kept, again = (outcomes(OUTAGE, Settings(), way) for way in (Way(keep_scores=tmp_path), Way(from_scores=tmp_path)))
    assert kept[0].detected
    assert [msgspec.structs.replace(o, seconds=0.0) for o in kept] == [msgspec.structs.replace(o, seconds=0.0) for o in again]


def test_another_diagnoser_can_be_tried_on_kept_scores(tmp_path: Path) -> None:
    drill(OUTAGE, Settings(), keep_scores=tmp_path)
    hot = Diagnoser(METRICS, Calibration(temperature=1000.0))
    (usual,), (unsure,) = (judge(drill_from_scores(OUTAGE, Settings(), tmp_path, way)) for way in (None, hot))
    assert usual.named is not None
    assert unsure.named is not None
    assert unsure.named.confidence < 0.3 < usual.named.confidence
    assert unsure.minutes_to_detect == usual.minutes_to_detect


def test_scores_of_other_versions_of_scorers_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Scenario(calls=60, hours=1)
    drill(small, Settings(), keep_scores=tmp_path)
    monkeypatch.setitem(drilling.VERSIONS, "refusal", "another")
    with pytest.raises(InputError, match="other versions of refusal"):
        drill_from_scores(small, Settings(), tmp_path)


def test_two_ways_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        Way(keep_scores=tmp_path, from_scores=tmp_path)


def test_what_cannot_be_played_is_refused() -> None:
    with pytest.raises(NotFoundError):
        drill(Scenario(fault="nonsense"), Settings())


def test_a_drill_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    drill(Scenario(calls=60, hours=1), Settings())
    assert list(tmp_path.iterdir()) == []


def test_readings_lie_in_the_period() -> None:
    played = drill(Scenario(calls=200, hours=2), Settings())
    assert all(played.start_ns < r.time_ns <= played.end_ns + 600 * NS_PER_S for r in played.readings)
