"""A calibration that would turn probabilities into nonsense is refused."""

import pytest

from holdfast.diagnose.calibration import Calibration, shipped
from holdfast.diagnose.evidence.registry import GROUPS


def test_the_shipped_one_speaks_of_evidence_that_exists_and_says_where_it_comes_from() -> None:
    calibration = shipped()
    assert calibration.provenance
    assert set(calibration.exponents) <= {*GROUPS, "cohort", "change"}


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_must_be_positive(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature"):
        Calibration(temperature=temperature)


def test_exponents_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="exponents"):
        Calibration(exponents={"prompt": 1.5})


@pytest.mark.parametrize("lower", [((0.5, 1.2),), ((1.1, 0.5),), ((0.5, 0.4), (0.4, 0.5)), ((0.4, 0.5), (0.5, 0.4))])
def test_a_lower_bound_that_does_not_rise_is_refused(lower: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match="lower"):
        Calibration(lower=lower)


def test_the_shipped_lower_bound_promises_less_than_certainty_and_says_where_it_comes_from() -> None:
    calibration = shipped()
    assert calibration.lower
    assert max(low for _, low in calibration.lower) < 1
    assert "drills" in calibration.provenance["lower_bound_from"]
