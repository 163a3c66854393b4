"""The catalogue is whole."""

from collections import Counter

import numpy as np

from holdfast.core.diagnosis import Layer
from holdfast.diagnose.catalogue.registry import BY_NAME, FAULTS, PRIOR, UNRECOGNISED_SHARE


def test_there_are_fifty_two_faults_in_five_layers_and_benign() -> None:
    assert len(FAULTS) == 52
    assert sorted(Counter(h.layer for h in FAULTS).values()) == [9, 9, 10, 12, 12]
    assert len(BY_NAME) == 53


def test_the_prior_is_a_distribution_that_leaves_a_tenth_to_the_unknown() -> None:
    np.testing.assert_allclose(sum(PRIOR.values()), 1.0)
    assert set(PRIOR) == set(Layer)
    assert PRIOR[Layer.UNKNOWN] >= 0.1
    assert 0 < UNRECOGNISED_SHARE < 0.5
