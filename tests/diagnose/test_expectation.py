"""The expectation in health knows that some cohorts are always worse."""

import numpy as np

from holdfast.diagnose.expectation import fit


def test_a_cohort_that_is_always_worse_is_expected_to_be() -> None:
    random = np.random.default_rng(1)
    x = (random.random((4000, 3)) < 0.3).astype(np.float32)
    y = (random.random(4000) < np.where(x[:, 0] > 0, 0.2, 0.02)).astype(float)
    expectation = fit(x, y)
    one, none = expectation(np.array([[1, 0, 0], [0, 0, 0]], dtype=np.float32))
    assert 0.15 < one < 0.25
    assert 0.01 < none < 0.04


def test_the_sum_of_expectations_is_the_sum_of_what_was_seen() -> None:
    random = np.random.default_rng(2)
    x = (random.random((3000, 5)) < 0.4).astype(np.float32)
    y = random.beta(1, 20, 3000)
    np.testing.assert_allclose(fit(x, y)(x).sum(), y.sum(), rtol=0.02)


def test_few_rows_give_the_plain_mean_and_a_cohort_without_failures_is_not_impossible() -> None:
    few = fit(np.ones((10, 2), dtype=np.float32), np.zeros(10))
    assert 0 < few(np.ones((1, 2), dtype=np.float32))[0] < 0.1
    assert not few.weights.any()


def test_rows_that_stand_for_many_calls_count_as_many() -> None:
    x = np.zeros((100, 1), dtype=np.float32)
    y = np.where(np.arange(100) < 50, 0.5, 0.0)
    counts = np.where(np.arange(100) < 50, 1.0, 9.0)
    np.testing.assert_allclose(fit(x, y, counts)(x)[0], 0.05, rtol=0.05)


def test_thousands_of_rows_are_thinned_without_moving_the_mean() -> None:
    random = np.random.default_rng(3)
    x = (random.random((20000, 2)) < 0.5).astype(np.float32)
    y = (random.random(20000) < 0.1).astype(float)
    np.testing.assert_allclose(fit(x, y)(x).mean(), 0.1, atol=0.015)
