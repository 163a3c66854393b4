import pytest

from holdfast.core.errors import NotFoundError
from holdfast.drills.decoys.registry import DECOYS
from holdfast.drills.faults.registry import FAULTS, REPORT_ONLY
from holdfast.drills.plan import ALL, HEALTHY, HEALTHY_DRILLS, scenario, scenarios
from holdfast.drills.scenario import check


def test_a_name_and_a_seed_always_stand_for_the_same_drill() -> None:
    assert scenario("wrong_embedder", 3) == scenario("wrong_embedder", 3)
    assert scenario("wrong_embedder", 3) != scenario("wrong_embedder", 4)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", [*FAULTS, *DECOYS, HEALTHY])
def test_every_planned_drill_can_be_played_and_leaves_time_for_harm(name: str, seed: int) -> None:
    planned = scenario(name, seed)
    check(planned)
    assert 2000 <= planned.calls <= 4000
    assert 0.15 <= planned.severity <= 1
    assert planned.delay_s <= 0.25 * (1 - planned.fault_at) * planned.hours * 3600 + 1e-6


def test_all_are_every_fault_every_decoy_and_some_healthy_drills_of_different_seeds() -> None:
    planned = scenarios([ALL], [1])
    assert len(planned) == len(FAULTS) + len(DECOYS) + HEALTHY_DRILLS
    healthy = [s.seed for s in planned if not s.fault and not s.decoy]
    assert len(set(healthy)) == HEALTHY_DRILLS


def test_a_drill_that_is_named_twice_is_run_once_a_seed() -> None:
    planned = scenarios(["surge", "surge"], [1, 2], calls=500)
    assert [(s.decoy, s.seed, s.calls) for s in planned] == [("surge", 1, 500), ("surge", 2, 500)]


def test_an_unknown_name_is_refused_with_those_that_exist() -> None:
    with pytest.raises(NotFoundError, match="wrong_embedder"):
        scenarios(["wrong_embeder"], [1])


def test_report_only_faults_exist_in_every_layer_and_leave_some_to_develop_on() -> None:
    assert set(FAULTS) > set(REPORT_ONLY)
    layers = {fault.layer for fault in FAULTS.values()}
    assert {FAULTS[name].layer for name in REPORT_ONLY} == layers
    assert {fault.layer for name, fault in FAULTS.items() if name not in REPORT_ONLY} == layers
