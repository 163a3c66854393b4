"""Calibrations apply to what they were learnt on and to nothing else, and survive a restart."""

from pathlib import Path

import msgspec
import pytest

from holdfast.core.errors import StoreError
from holdfast.core.score import Score
from holdfast.core.trace import ScoredTrace
from holdfast.score.beta_map import BetaMap
from holdfast.score.calibrator import Calibration, Calibrator, encoded, load
from tests.score.build import trace

TEMPERATE = Calibration(
    application="support",
    metric="refusal",
    scorer="refusal",
    version="1",
    map=BetaMap(0.5, 0.5, 0.0),
    labels=80,
    brier_before=0.2,
    brier_after=0.1,
    learnt_ns=5,
    actor="user:ada",
)


def scored(**fields: object) -> ScoredTrace:
    plain = Score(trace_id="ab" * 16, span_id=f"{3:016x}", metric="refusal", value=0.9, scorer="refusal", version="1", why="so")
    return ScoredTrace(trace(), (msgspec.structs.replace(plain, **fields),))


def applied(calibrator: Calibrator, before: ScoredTrace) -> Score:
    (score,) = calibrator.apply(before).scores
    return score


def test_a_score_is_mapped_and_its_version_names_the_calibration() -> None:
    score = applied(Calibrator([TEMPERATE]), scored())
    assert score.value == pytest.approx(TEMPERATE.map.of(0.9))
    assert score.version == f"1+{TEMPERATE.id}"
    assert score.why == "so"


@pytest.mark.parametrize(
    "fields", [{"metric": "toxicity"}, {"scorer": "other"}, {"version": "2"}, {"version": f"1+{TEMPERATE.id}"}], ids=str
)
def test_what_it_was_not_learnt_on_passes_unchanged(fields: dict[str, str]) -> None:
    before = scored(**fields)
    assert Calibrator([TEMPERATE]).apply(before).scores == before.scores


def test_another_application_passes_untouched() -> None:
    before = scored()
    other = msgspec.structs.replace(TEMPERATE, application="bank")
    assert Calibrator([other]).apply(before) is before


def test_a_new_calibration_takes_the_place_of_the_old_one() -> None:
    calibrator = Calibrator([TEMPERATE])
    newer = msgspec.structs.replace(TEMPERATE, map=BetaMap(0.3, 0.3, 0.0))
    calibrator.put(newer)
    assert calibrator.calibrations == [newer]
    assert applied(calibrator, scored()).version != f"1+{TEMPERATE.id}"


def test_one_for_a_new_version_of_the_scorer_replaces_that_of_the_old_one() -> None:
    calibrator = Calibrator([TEMPERATE])
    newer = msgspec.structs.replace(TEMPERATE, version="2")
    calibrator.put(newer)
    assert calibrator.calibrations == [newer]


def test_the_same_map_has_the_same_name_and_another_map_another() -> None:
    again = msgspec.structs.replace(TEMPERATE, learnt_ns=99, actor="user:bob")
    assert again.id == TEMPERATE.id
    assert msgspec.structs.replace(TEMPERATE, map=BetaMap(0.5, 0.5, 0.1)).id != TEMPERATE.id


def test_out_of_force_scores_are_as_they_were() -> None:
    calibrator = Calibrator([TEMPERATE])
    assert calibrator.drop("support", "refusal")
    assert applied(calibrator, scored()).value == 0.9
    assert not calibrator.drop("support", "refusal")


def test_what_is_in_force_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "calibrations.json"
    path.write_bytes(encoded(Calibrator([TEMPERATE])))
    assert load(path).calibrations == [TEMPERATE]


def test_without_a_file_nothing_is_calibrated(tmp_path: Path) -> None:
    assert load(tmp_path / "none.json").calibrations == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"\xff", b'{"format": 2, "calibrations": []}', b'{"format": 1, "calibrations": [{"application": "x"}]}'],
    ids=["empty", "no fields", "binary", "another format", "half a calibration"],
)
def test_a_broken_file_stops_the_start_and_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "calibrations.json"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="remove it to use the scores as they are"):
        load(path)


def test_a_map_that_would_turn_scores_round_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calibrations.json"
    path.write_bytes(encoded(Calibrator([TEMPERATE])).replace(b'"a": 0.5', b'"a": -0.5'))
    with pytest.raises(StoreError):
        load(path)
