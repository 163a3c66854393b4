"""The failure standard: which signals are failures, anomalies, noise; `docs/guides/failure-standard.md` says why."""

from typing import NamedTuple

import msgspec

from holdfast.core.score import Direction, Family, Metric, Unit
from holdfast.core.signal import Verdict

HURTS = 2
"""Harm from which a metric of operations is an answer that somebody did not get."""
GRAVE = 3
"""Harm to safety, privacy or money."""


class StandardPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Where the lines are drawn.

    Args:
        min_calls: fewer calls since onset are noise, unless one event is an incident.
        ratio: observed ÷ baseline from which a quality, safety or retrieval metric has failed.
        rise: absolute rise of a probability from which it has failed, by harm 0..3 (over 1: never).
        fall: same where low values are bad: such scores are means of judgements, not shares of failures.
        certainty: ln of the likelihood ratio that before and since differ, under which a young baseline may have been luck.
        operations_ratio, operations_rise: the same for metrics of operations, which do not hurt an answer by themselves; where
            one does (harm 2: the request failed), the rise is that of its harm.
        silence_ratio: before ÷ since from which a share that is watched both ways has fallen silent; `rise` holds for its loss.
        clear_ratio: ratio from which the share of calls that are clearly worse than usual has failed; `rise` holds for it too.
        outlier_ratio: the same where low values are bad, and clearly worse is what is worse than 99 in 100.
        sure_ratio, sure_rise: ratio and absolute rise from which the share of calls that leave no doubt has failed.
        safety_calls: calls since onset that are more likely bad than good (0.5 or more), under which a metric of harm 3 has not
            failed: a mean that rose without them has hurt nobody.
        doubtful: baseline from which a graded metric of harm 3 measures a tone rather than harm; to have failed it must be
            `doubtful_ratio` times as high there, or 15 points higher.
        magnitude_ratio: the same for latency, tokens, cost, counts; retrieval_ratio where the family is retrieval.
        burn_failure: burn rate of an objective from which it has failed; slower ones are anomalies.
    """

    min_calls: int = 8
    certainty: float = 8.0
    ratio: float = 1.5
    rise: tuple[float, float, float, float] = (2.0, 0.05, 0.03, 0.01)
    fall: float = 0.1
    operations_ratio: float = 3.0
    operations_rise: float = 0.05
    silence_ratio: float = 4.0
    clear_ratio: float = 2.0
    outlier_ratio: float = 3.0
    sure_ratio: float = 3.0
    sure_rise: float = 0.01
    safety_calls: int = 3
    doubtful: float = 0.05
    doubtful_ratio: float = 3.0
    magnitude_ratio: float = 3.0
    retrieval_ratio: float = 2.0
    burn_failure: float = 6.0


class Outliers(NamedTuple):
    """Share of the calls that are clearly worse than usual, before and since, and of the latter the share that is far so."""

    before: float
    since: float
    far: float


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What a signal found, in the metric's unit. `mix` names the dimension whose traffic mix explains it, if one
    does. `certainty` is ln of the likelihood ratio of two means against one, for what was before and what came since.
    `outliers` are the calls that are clearly worse than usual, where that is what was watched. `failed` counts the calls that are
    more likely bad than good, None where that is not known. `sure` are the shares of calls that leave no doubt, before and since,
    where that is what was watched.
    """

    baseline: float
    observed: float
    calls: int
    bad: float
    duration_s: float
    users: int = 0
    mix: str = ""
    certainty: float = float("inf")
    outliers: Outliers | None = None
    failed: int | None = None
    sure: tuple[float, float] | None = None


def judge(metric: Metric, effect: Effect, policy: StandardPolicy) -> tuple[Verdict, str]:
    """Class an effect, and say why in words. Pure: the same effect is always the same verdict."""
    if metric.direction is Direction.INFORMATION:
        return Verdict.NOISE, "information only: this metric never alarms"
    if metric.hard:
        return Verdict.FAILURE, f"one {metric.failure_mode} is an incident"
    if effect.calls < policy.min_calls:
        return Verdict.NOISE, f"{effect.calls} calls since onset are too few ({policy.min_calls})"
    if effect.mix:
        return Verdict.ANOMALY, f"explained by the traffic mix over {effect.mix}: each part is as good as before"
    if effect.certainty < policy.certainty:
        return (
            Verdict.ANOMALY,
            f"the baseline is young: it may have been luck ({effect.certainty:.1f} < {policy.certainty:g} nats)",
        )
    if metric.direction is Direction.BOTH and metric.family is not Family.OPERATIONS and metric.harm == 0:
        return Verdict.ANOMALY, "changed, but neither way is worse"
    if _nobody_hurt(metric, effect, policy):
        return (
            Verdict.ANOMALY,
            f"harm 3, but {effect.failed} calls are more likely bad than good, of {policy.safety_calls} at least",
        )
    return _by_size(metric, effect, policy)


def _by_size(metric: Metric, effect: Effect, policy: StandardPolicy) -> tuple[Verdict, str]:
    if effect.sure is not None:
        return _sure(effect, effect.sure, policy)
    if effect.outliers is not None:
        return _outliers(metric, effect, effect.outliers, policy)
    return _probability(metric, effect, policy) if metric.unit is Unit.PROBABILITY else _magnitude(metric, effect, policy)


def _nobody_hurt(metric: Metric, effect: Effect, policy: StandardPolicy) -> bool:
    return _graded_harm(metric) and effect.failed is not None and effect.failed < policy.safety_calls


def _is_tone(metric: Metric, baseline: float, policy: StandardPolicy) -> bool:
    """Whether what is usual here would be harm in one of twenty answers and more: fiction, news, customers who quote."""
    return _graded_harm(metric) and baseline >= policy.doubtful


def _graded_harm(metric: Metric) -> bool:
    graded = metric.unit is Unit.PROBABILITY and metric.family is not Family.OPERATIONS
    return metric.harm >= GRAVE and graded and metric.direction is Direction.UP_IS_WORSE


def judge_burn(rate: float, seen: tuple[int, float], certainty: float, policy: StandardPolicy) -> tuple[Verdict, str]:
    """Class a burn rate of at least `rate`, seen in (calls, share of them that was bad), and say why in words.

    `certainty` is ln of the likelihood ratio that more is bad than the objective allows.
    """
    calls, share = seen
    words = f"{share:.2%} of {calls} calls were bad"
    if calls < policy.min_calls:
        return Verdict.NOISE, f"{words}: too few ({policy.min_calls})"
    if certainty < policy.certainty:
        return Verdict.NOISE, f"{words}: it may be luck ({certainty:.1f} < {policy.certainty:g} nats)"
    if rate >= policy.burn_failure:
        return Verdict.FAILURE, f"{words}: at least ×{policy.burn_failure:g}"
    return Verdict.ANOMALY, f"{words}: under ×{policy.burn_failure:g}, there is time until tomorrow"


def _probability(metric: Metric, effect: Effect, policy: StandardPolicy) -> tuple[Verdict, str]:
    baseline, observed = effect.baseline, effect.observed
    falls = observed < baseline
    if falls:
        baseline, observed = 1 - baseline, 1 - observed
    ratio = observed / max(baseline, 1e-9)
    rise = observed - baseline
    operations = metric.family is Family.OPERATIONS
    need_ratio = policy.operations_ratio if operations else policy.ratio
    if _is_tone(metric, effect.baseline, policy):
        need_ratio = max(need_ratio, policy.doubtful_ratio)
    hurts = not operations or metric.harm >= HURTS
    need_rise = policy.rise[min(max(metric.harm, 0), 3)] if hurts else policy.operations_rise
    if falls and not operations:
        need_rise = max(need_rise, policy.fall)
    # A share that is already high cannot be multiplied: halving what was right is as bad as doubling what was wrong.
    spared = (1 - observed) / max(1 - baseline, 1e-9)
    large = ratio >= need_ratio or (rise >= 0.1 and spared <= 1 / need_ratio) or (not operations and rise >= 0.15)
    words = f"{baseline:.1%} → {observed:.1%} over {effect.calls} calls, harm {metric.harm}"
    if large and rise >= need_rise:
        return Verdict.FAILURE, f"{words}: at least ×{need_ratio:g} and {need_rise:.1%} more"
    if falls and metric.direction is Direction.BOTH and _fell_silent(effect, policy, metric.harm):
        return Verdict.FAILURE, f"{effect.baseline:.1%} → {effect.observed:.1%} over {effect.calls} calls: it fell silent"
    return Verdict.ANOMALY, f"{words}: under ×{need_ratio:g} or {need_rise:.1%} more"


def _fell_silent(effect: Effect, policy: StandardPolicy, harm: int) -> bool:
    """Whether hardly anything is left of a share that is watched both ways: a guard that blocks nothing is no good news."""
    lost = effect.baseline - effect.observed
    return effect.observed * policy.silence_ratio <= effect.baseline and lost >= policy.rise[min(max(harm, 0), 3)]


def _outliers(metric: Metric, effect: Effect, found: Outliers, policy: StandardPolicy) -> tuple[Verdict, str]:
    """A failure where enough calls are far worse than usual; else the mean says: one that drifts takes all calls with it."""
    falls = metric.direction is Direction.DOWN_IS_WORSE
    need_ratio = policy.outlier_ratio if falls else policy.clear_ratio
    if _is_tone(metric, effect.baseline, policy):
        need_ratio = max(need_ratio, policy.doubtful_ratio)
    need_rise, far = policy.rise[min(max(metric.harm, 0), 3)], found.since * found.far
    words = f"clearly worse than usual in {far:.1%} of {effect.calls} calls, before in {found.before:.1%}, harm {metric.harm}"
    if far >= need_ratio * found.before and far - found.before >= need_rise:
        return Verdict.FAILURE, f"{words}: at least ×{need_ratio:g} and {need_rise:.1%} more"
    verdict, why = _probability(metric, effect, policy)
    if verdict is Verdict.FAILURE:
        return verdict, why
    return Verdict.ANOMALY, f"{words}: under ×{need_ratio:g} or {need_rise:.1%} more"


def _sure(effect: Effect, shares: tuple[float, float], policy: StandardPolicy) -> tuple[Verdict, str]:
    before, since = shares
    words = f"beyond doubt in {since:.1%} of {effect.calls} calls, before in {before:.1%}"
    if since >= policy.sure_ratio * before and since - before >= policy.sure_rise:
        return Verdict.FAILURE, f"{words}: at least ×{policy.sure_ratio:g} and {policy.sure_rise:.1%} more"
    return Verdict.ANOMALY, f"{words}: under ×{policy.sure_ratio:g} or {policy.sure_rise:.1%} more"


def _magnitude(metric: Metric, effect: Effect, policy: StandardPolicy) -> tuple[Verdict, str]:
    low, high = sorted((effect.baseline, effect.observed))
    ratio = high / max(low, 1e-9)
    need = policy.retrieval_ratio if metric.family is Family.RETRIEVAL else policy.magnitude_ratio
    words = f"{effect.baseline:.4g} → {effect.observed:.4g} {metric.unit} over {effect.calls} calls"
    worse_up = effect.observed > effect.baseline
    wrong_way = (metric.direction is Direction.UP_IS_WORSE and not worse_up) or (
        metric.direction is Direction.DOWN_IS_WORSE and worse_up
    )
    if wrong_way:
        return Verdict.NOISE, f"{words}: the mean did not get worse"
    if metric.harm == 0:
        return Verdict.ANOMALY, f"{words}: harms nobody by itself"
    if ratio >= need:
        return Verdict.FAILURE, f"{words}: at least ×{need:g}"
    return Verdict.ANOMALY, f"{words}: under ×{need:g}, and no answer is worse for it"
