"""Safe answers: only for who asked, only for a day, only so many."""

from holdfast.gateway.safe_answers import MAX_ANSWER_BYTES, MAX_BYTES, SafeAnswers
from holdfast.testing.clock import FakeClock


def test_who_asks_is_part_of_the_key() -> None:
    key = SafeAnswers.key
    keys = {
        key("r", "a", "t", "u", b"q"),
        key("r", "a", "t", "v", b"q"),
        key("r", "a", "x", "u", b"q"),
        key("r", "b", "t", "u", b"q"),
    }
    assert len(keys) == 4
    assert key("ab", "c", "", "", b"") != key("a", "bc", "", "", b"")


def test_an_answer_is_too_old_after_a_day() -> None:
    clock = FakeClock()
    answers = SafeAnswers(clock)
    answers.put(b"k", b"answer")
    assert answers.get(b"k") == b"answer"
    clock.advance(24 * 3600 + 1)
    assert answers.get(b"k") is None
    assert len(answers) == 0


def test_memory_is_bounded_and_the_oldest_give_way() -> None:
    answers = SafeAnswers(FakeClock())
    for n in range(MAX_BYTES // MAX_ANSWER_BYTES + 10):
        answers.put(str(n).encode(), b"x" * MAX_ANSWER_BYTES)
    assert len(answers) == MAX_BYTES // MAX_ANSWER_BYTES
    assert answers.get(b"0") is None


def test_a_very_long_answer_is_not_kept() -> None:
    answers = SafeAnswers(FakeClock())
    answers.put(b"k", b"x" * (MAX_ANSWER_BYTES + 1))
    assert answers.get(b"k") is None
