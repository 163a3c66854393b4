from holdfast.correlate.policy import CorrelatePolicy


def test_a_fault_that_flaps_is_given_longer_to_come_back_than_to_be_called_quiet() -> None:
    policy = CorrelatePolicy()
    assert 0 < policy.hold_s < policy.cool_down_s < policy.follows_s
