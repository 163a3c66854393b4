import numpy as np

from holdfast.detect.budget import NS_PER_DAY, Spent
from holdfast.detect.learning import COMPANION, compare_siblings, learn
from holdfast.detect.policy import DetectPolicy
from holdfast.detect.protocol import Ground
from holdfast.detect.streams import ALARMED, LEARNING, WATCHING, XX, N, X
from holdfast.detect.watch import Watch
from tests.detect.simulation import METRICS

ROW = np.array([0])


def watch(calls: float, bad: float) -> Watch:
    ground = Ground(METRICS, DetectPolicy())
    ground.table.metric_index("refusal")
    ground.index.profile({"service.name": ("shop",), "route": ("/a", "/b", "/c")})
    watched = Watch(ground)
    watched.place(np.zeros(1, np.int64), np.zeros(1, np.int64), np.ones(1, np.int64))
    watched.streams.totals[0] = [calls, bad, bad, bad]
    return watched


def test_a_baseline_may_alarm_when_it_has_enough_calls_and_not_before() -> None:
    for calls, mode in ((199, LEARNING), (200, WATCHING)):
        watched = watch(calls, 5)
        learn(watched, ROW)
        assert watched.streams.mode[0] == mode
        assert watched.streams.base[0, N] == calls


def test_a_metric_that_few_calls_have_is_watched_from_fewer() -> None:
    watched = watch(50, 5)
    busy = watched.ground.table.of_metric[watched.ground.table.metric_index("error")][0]
    (row,) = watched.place(np.zeros(1, np.int64), np.array([busy]), np.ones(1, np.int64))
    watched.streams.totals[row] = [599, 6, 6, 6]
    learn(watched, ROW)
    assert watched.streams.mode[0] == LEARNING
    watched.streams.totals[row, N] = 600
    learn(watched, ROW)
    assert watched.streams.mode[0] == WATCHING


def test_a_new_value_that_must_be_as_good_does_not_learn_what_is_worse() -> None:
    watched = watch(220, 1)
    learn(watched, ROW)
    s = watched.streams
    s.held[0] = 1
    s.totals[0] = [300, 20, 20, 20]
    s.cusum[0, COMPANION] = 1.2
    learn(watched, ROW)
    assert s.base[0, X] == 1


def test_what_came_since_the_cusum_left_zero_is_not_learnt() -> None:
    watched = watch(3000, 90)
    learn(watched, ROW)
    s = watched.streams
    s.totals[0] = [4000, 390, 390, 390]
    s.zero[0, COMPANION, :4] = [3500, 105, 105, 105]
    s.cusum[0, COMPANION] = 1e9
    learn(watched, ROW)
    assert (s.base[0, N], s.base[0, X]) == (3500, 105)


def test_a_young_baseline_learns_on_while_nothing_is_suspicious() -> None:
    watched = watch(220, 1)
    learn(watched, ROW)
    s = watched.streams
    s.totals[0] = [300, 6, 6, 6]
    s.cusum[0, COMPANION] = 2.0
    learn(watched, ROW)
    assert s.base[0, N] == 300
    s.totals[0] = [380, 60, 60, 60]
    s.cusum[0, COMPANION] = 1e9
    learn(watched, ROW)
    assert s.base[0, N] == 300


def test_an_alarmed_stream_learns_nothing() -> None:
    watched = watch(3000, 90)
    learn(watched, ROW)
    watched.streams.mode[0] = ALARMED
    watched.streams.totals[0] = [4000, 900, 900, 900]
    learn(watched, ROW)
    assert watched.streams.base[0, N] == 3000


def test_a_baseline_forgets_what_is_long_ago_but_keeps_its_mean() -> None:
    watched = watch(50_000, 1500)
    learn(watched, ROW)
    s = watched.streams
    assert s.base[0, N] == DetectPolicy().memory_calls
    assert abs(s.base[0, X] / s.base[0, N] - 0.03) < 1e-12


def test_more_calls_cost_a_higher_threshold_and_spend_budget_at_the_one_that_was_in_force() -> None:
    watched = watch(3000, 90)
    learn(watched, ROW)
    low = watched.streams.threshold[0]
    watched.streams.totals[0] = [30_000, 900, 900, 900]
    assert learn(watched, ROW) == (27_000 / low, 0, 0)
    assert watched.streams.threshold[0] > low


def test_what_a_baseline_is_learnt_from_spends_nothing() -> None:
    watched = watch(3000, 90)
    assert learn(watched, ROW) == (0, 0, 0)
    assert learn(watched, ROW) == (0, 0, 0)


def test_from_its_second_day_on_a_stream_spends_its_budget_of_a_day_each_day() -> None:
    watched = watch(1000, 30)
    s, policy = watched.streams, DetectPolicy()
    learn(watched, ROW)
    spent = Spent()
    for day in range(1, 11):
        s.last_ns[0] = s.first_ns[0] + day * NS_PER_DAY
        s.totals[0] = 1000 * day
        spent = spent.plus(learn(watched, ROW))
    assert spent.first_day == 0
    assert abs(spent.later - 9 * policy.app_share * policy.false_alarms_per_day) < 1e-9


def test_siblings_that_differ_weaken_the_prior_of_a_new_one() -> None:
    watched = watch(3000, 600)
    rows = watched.place(np.array([1, 2, 3]), np.zeros(3, np.int64), np.ones(3, np.int64))
    for row, bad in zip(rows.tolist(), (10.0, 200.0, 600.0), strict=True):
        watched.streams.base[row, [N, X, XX]] = [1000, bad, bad]
    compare_siblings(watched)
    assert 0 < watched.strengths[0, 0, "route"] < 50
