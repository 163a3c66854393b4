import pytest

from holdfast.core.score import Direction, Family, Unit
from holdfast.core.signal import Verdict
from holdfast.detect.standard import Effect, Outliers, StandardPolicy, judge, judge_burn
from tests.detect.simulation import metric

POLICY = StandardPolicy()


def effect(baseline: float, observed: float, **changes: object) -> Effect:
    given: dict[str, object] = {"baseline": baseline, "observed": observed, "calls": 100, "bad": 10.0, "duration_s": 600.0}
    return Effect(**{**given, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("harm", "verdict"), [(0, Verdict.ANOMALY), (1, Verdict.ANOMALY), (2, Verdict.FAILURE), (3, Verdict.FAILURE)]
)
def test_the_more_harm_the_smaller_the_rise_that_is_a_failure(harm: int, verdict: Verdict) -> None:
    assert judge(metric("m", harm=harm), effect(0.02, 0.06), POLICY)[0] is verdict


def test_a_rise_under_the_ratio_is_an_anomaly_even_if_it_is_significant() -> None:
    assert judge(metric("m"), effect(0.20, 0.26), POLICY)[0] is Verdict.ANOMALY


def test_a_high_share_that_rises_a_lot_is_a_failure_although_it_cannot_double() -> None:
    assert judge(metric("m"), effect(0.60, 0.85), POLICY)[0] is Verdict.FAILURE


def test_a_small_fall_of_a_mean_is_an_anomaly_and_a_large_one_a_failure() -> None:
    falling = metric("m", direction=Direction.DOWN_IS_WORSE)
    assert judge(falling, effect(0.92, 0.87), POLICY)[0] is Verdict.ANOMALY
    assert judge(falling, effect(0.92, 0.70), POLICY)[0] is Verdict.FAILURE


def test_an_operations_metric_needs_a_large_effect() -> None:
    error = metric("error", family=Family.OPERATIONS)
    assert judge(error, effect(0.02, 0.05), POLICY)[0] is Verdict.ANOMALY
    assert judge(error, effect(0.02, 0.30), POLICY)[0] is Verdict.FAILURE


@pytest.mark.parametrize(("harm", "verdict"), [(1, Verdict.ANOMALY), (2, Verdict.FAILURE)])
def test_a_request_that_fails_is_judged_by_its_harm(harm: int, verdict: Verdict) -> None:
    assert judge(metric("error", family=Family.OPERATIONS, harm=harm), effect(0.005, 0.04), POLICY)[0] is verdict


@pytest.mark.parametrize(("observed", "verdict"), [(1500.0, Verdict.ANOMALY), (3100.0, Verdict.FAILURE), (700.0, Verdict.NOISE)])
def test_latency_fails_at_three_times_and_never_by_getting_better(observed: float, verdict: Verdict) -> None:
    latency = metric("latency", family=Family.OPERATIONS, unit=Unit.MILLISECONDS, harm=1)
    assert judge(latency, effect(1000.0, observed), POLICY)[0] is verdict


def test_what_harms_nobody_is_never_a_failure() -> None:
    tokens = metric("tokens", family=Family.OPERATIONS, unit=Unit.TOKENS, direction=Direction.BOTH, harm=0)
    assert judge(tokens, effect(100.0, 5000.0), POLICY)[0] is Verdict.ANOMALY


def test_a_shift_of_the_traffic_mix_is_no_failure() -> None:
    verdict, reason = judge(metric("m", harm=3), effect(0.02, 0.5, mix="route"), POLICY)
    assert verdict is Verdict.ANOMALY
    assert "route" in reason


def test_what_may_be_luck_of_a_young_baseline_is_no_failure() -> None:
    verdict, reason = judge(metric("m", harm=3), effect(0.01, 0.06, certainty=4.0), POLICY)
    assert verdict is Verdict.ANOMALY
    assert "young" in reason


def test_information_never_alarms() -> None:
    assert judge(metric("m", direction=Direction.INFORMATION, harm=3), effect(0.0, 1.0), POLICY)[0] is Verdict.NOISE


def test_few_calls_are_noise_unless_one_event_is_an_incident() -> None:
    few = effect(0.0, 1.0, calls=3, bad=3.0)
    assert judge(metric("m"), few, POLICY)[0] is Verdict.NOISE
    assert judge(metric("m", hard=True), few, POLICY)[0] is Verdict.FAILURE


@pytest.mark.parametrize("baseline", [0.0, 0.02, 0.5, 1.0])
def test_every_verdict_comes_with_a_reason(baseline: float) -> None:
    for unit in Unit:
        assert judge(metric("m", unit=unit), effect(baseline, 0.7), POLICY)[1]


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [((0.05, 0.12), Verdict.FAILURE), ((0.07, 0.12), Verdict.ANOMALY), ((0.01, 0.035), Verdict.ANOMALY)],
)
def test_outliers_fail_by_their_share_even_where_the_mean_hardly_moves(shares: tuple[float, float], verdict: Verdict) -> None:
    moved = Effect(baseline=0.17, observed=0.2, calls=200, bad=24.0, duration_s=600.0, outliers=Outliers(*shares, far=1.0))
    assert judge(metric("m", harm=2), moved, POLICY)[0] is verdict


@pytest.mark.parametrize(("since", "verdict"), [(0.12, Verdict.ANOMALY), (0.16, Verdict.FAILURE)])
def test_where_low_is_bad_three_times_as_many_must_be_far_off(since: float, verdict: Verdict) -> None:
    moved = Effect(baseline=0.9, observed=0.87, calls=200, bad=24.0, duration_s=600.0, outliers=Outliers(0.05, since, far=1.0))
    assert judge(metric("m", harm=2, direction=Direction.DOWN_IS_WORSE), moved, POLICY)[0] is verdict


@pytest.mark.parametrize(("observed", "verdict"), [(0.22, Verdict.ANOMALY), (0.4, Verdict.FAILURE)])
def test_outliers_that_are_hardly_any_further_fail_only_where_the_mean_does(observed: float, verdict: Verdict) -> None:
    drift = Outliers(before=0.01, since=0.12, far=0.2)
    moved = Effect(baseline=0.17, observed=observed, calls=200, bad=24.0, duration_s=600.0, outliers=drift)
    assert judge(metric("m", harm=2), moved, POLICY)[0] is verdict


@pytest.mark.parametrize(
    ("before", "since", "verdict"),
    [(0.066, 0.0, Verdict.FAILURE), (0.066, 0.03, Verdict.ANOMALY), (0.01, 0.0, Verdict.ANOMALY)],
)
def test_a_guard_that_falls_silent_has_failed(before: float, since: float, verdict: Verdict) -> None:
    blocks = metric("m", direction=Direction.BOTH, family=Family.SAFETY, harm=1)
    found, reason = judge(blocks, effect(before, since), POLICY)
    assert found is verdict
    assert ("fell silent" in reason) == (verdict is Verdict.FAILURE)


@pytest.mark.parametrize(
    ("rate", "calls", "certainty", "verdict"),
    [
        (14.4, 200, 30.0, Verdict.FAILURE),
        (6.0, 200, 8.0, Verdict.FAILURE),
        (1.0, 20_000, 300.0, Verdict.ANOMALY),
        (14.4, 7, 30.0, Verdict.NOISE),
        (14.4, 200, 7.9, Verdict.NOISE),
    ],
)
def test_a_budget_that_burns_fails_by_its_rate_where_it_is_no_luck(
    rate: float, calls: int, certainty: float, verdict: Verdict
) -> None:
    found, reason = judge_burn(rate, (calls, 0.3), certainty, POLICY)
    assert found is verdict
    assert f"30.00% of {calls} calls were bad" in reason


@pytest.mark.parametrize(
    ("failed", "verdict"), [(0, Verdict.ANOMALY), (2, Verdict.ANOMALY), (3, Verdict.FAILURE), (None, Verdict.FAILURE)]
)
def test_a_mean_of_a_grave_score_that_rose_without_a_call_that_failed_has_hurt_nobody(
    failed: int | None, verdict: Verdict
) -> None:
    grave = metric("unsafe_output", family=Family.SAFETY, harm=3)
    assert judge(grave, effect(0.02, 0.06, failed=failed), POLICY)[0] is verdict
    outliers = Outliers(0.01, 0.06, 0.5)
    assert judge(grave, effect(0.02, 0.06, failed=failed, outliers=outliers), POLICY)[0] is verdict


def test_of_less_grave_scores_the_mean_counts() -> None:
    assert judge(metric("m"), effect(0.02, 0.06, failed=0), POLICY)[0] is Verdict.FAILURE


@pytest.mark.parametrize(
    ("before", "since", "verdict"),
    [(0.0, 0.02, Verdict.FAILURE), (0.0, 0.008, Verdict.ANOMALY), (0.02, 0.05, Verdict.ANOMALY), (0.02, 0.07, Verdict.FAILURE)],
)
def test_what_leaves_no_doubt_fails_by_the_share_of_such_calls(before: float, since: float, verdict: Verdict) -> None:
    attacks = metric("prompt_injection", family=Family.SAFETY, harm=2)
    assert judge(attacks, effect(0.03, 0.05, sure=(before, since)), POLICY)[0] is verdict


@pytest.mark.parametrize(
    ("baseline", "observed", "verdict"),
    [
        (0.14, 0.23, Verdict.ANOMALY),
        (0.06, 0.12, Verdict.ANOMALY),
        (0.14, 0.30, Verdict.FAILURE),
        (0.06, 0.19, Verdict.FAILURE),
        (0.03, 0.06, Verdict.FAILURE),
    ],
    ids=["fiction", "news", "fifteen points more", "three times as much", "where harm is rare"],
)
def test_where_a_grave_score_is_high_every_day_it_must_rise_far(baseline: float, observed: float, verdict: Verdict) -> None:
    grave = metric("unsafe_output", family=Family.SAFETY, harm=3)
    assert judge(grave, effect(baseline, observed, failed=20), POLICY)[0] is verdict
    assert judge(metric("m", harm=2), effect(baseline, observed, failed=20), POLICY)[0] is Verdict.FAILURE


@pytest.mark.parametrize(("since", "verdict"), [(0.25, Verdict.ANOMALY), (0.35, Verdict.FAILURE)])
def test_and_three_times_as_many_must_be_clearly_worse(since: float, verdict: Verdict) -> None:
    grave = metric("unsafe_output", family=Family.SAFETY, harm=3)
    moved = effect(0.14, 0.2, failed=20, outliers=Outliers(0.1, since, 1.0))
    assert judge(grave, moved, POLICY)[0] is verdict
