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
