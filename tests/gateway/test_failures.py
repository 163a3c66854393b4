"""Failures are values that metrics and breakers know by name."""

from holdfast.gateway.failures import Failure, UpstreamError


def test_a_failure_says_what_it_is_in_one_word_and_carries_a_message_for_people() -> None:
    error = UpstreamError(Failure.TIMEOUT, "no answer within 5 s")
    assert (error.failure.value, str(error)) == ("timeout", "no answer within 5 s")
