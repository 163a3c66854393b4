"""A calibration that would turn probabilities into nonsense is refused."""

import pytest

from holdfast.diagnose.calibration import Calibration, shipped
from holdfast.diagnose.catalogue.hypothesis import CODES
from holdfast.diagnose.evidence.registry import GROUPS


def test_the_shipped_one_speaks_of_faults_and_evidence_that_exist_and_says_where_it_comes_from() -> None:
    calibration = shipped()
    assert calibration.provenance
    assert set(calibration.codes) <= set(CODES)
    assert set(calibration.exponents) <= {*GROUPS, "cohort", "change"}


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_must_be_positive(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature"):
        Calibration(temperature=temperature)


def test_exponents_and_bins_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="exponents"):
        Calibration(exponents={"prompt": 1.5})
    with pytest.raises(ValueError, match=r"bins of \+\+"):
        Calibration(codes={"++": (0.0, 0.1, 0.8, 0.05, 0.05)})
    with pytest.raises(ValueError, match="sum to 1"):
        Calibration(codes={"~": (0.5, 0.5, 0.5, 0.5, 0.5)})
    with pytest.raises(ValueError, match="known code"):
        Calibration(codes={"+++": (0.2, 0.2, 0.2, 0.2, 0.2)})
