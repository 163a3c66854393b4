"""A map from scores to probabilities keeps their order."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.score.beta_map import BetaMap

probabilities = st.floats(0, 1)


@given(st.floats(0, 20), st.floats(0, 20), st.floats(-20, 20), probabilities, probabilities)
def test_a_map_keeps_the_order_and_stays_a_probability(a: float, b: float, c: float, one: float, other: float) -> None:
    found = BetaMap(a, b, c)
    low, high = sorted((one, other))
    assert 0 <= found.of(low) <= found.of(high) <= 1


@given(probabilities)
def test_one_score_and_many_are_mapped_alike(score: float) -> None:
    found = BetaMap(0.7, 1.3, -0.2)
    assert found.of(score) == pytest.approx(float(found(np.array([score]))[0]))


@given(st.floats(1e-5, 1 - 1e-5))
def test_the_map_that_changes_nothing_changes_nothing(score: float) -> None:
    assert BetaMap().of(score) == pytest.approx(score)


@pytest.mark.parametrize("told", [b"[-1, 1, 0]", b"[1, -1, 0]", b"[1e9, 1, 0]", b"[1, 1, 1e9]", b'["1", 1, 0]'])
def test_a_map_that_would_turn_scores_round_cannot_be_read(told: bytes) -> None:
    plain = dict(zip("abc", msgspec.json.decode(told), strict=True))
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(plain, BetaMap)
