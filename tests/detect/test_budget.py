from holdfast.detect.budget import NS_PER_DAY, daily_calls, head_start, stream_budget
from holdfast.detect.policy import DetectPolicy

POLICY = DetectPolicy()


def test_the_budget_of_all_streams_together_is_their_share() -> None:
    assert abs(500 * stream_budget(500, 0.4, POLICY) - 0.4 * POLICY.false_alarms_per_day) < 1e-12


def test_no_stream_yet_is_no_division_by_zero() -> None:
    assert stream_budget(0, 0.4, POLICY) > 0


def test_the_first_day_counts_as_one_day() -> None:
    assert daily_calls(2000, 0, 60e9) == 2000
    assert daily_calls(2000, 0, 4.0 * NS_PER_DAY) == 500


def test_a_change_may_spend_its_share_and_no_more() -> None:
    streams, threshold = 30, 1e6
    chance = head_start(threshold, streams, 1, POLICY) / threshold
    assert abs(chance * streams * POLICY.changes_per_day - POLICY.false_alarms_per_day * POLICY.change_share) < 1e-12


def test_many_changes_a_day_share_it() -> None:
    assert head_start(1e6, 30, 50, POLICY) == head_start(1e6, 30, 5, POLICY) / 10
