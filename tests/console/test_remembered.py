"""Slow questions are asked once for all viewers."""

import threading
from functools import partial

import pytest

from holdfast.console.remembered import Remembered
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import StoreError


def test_an_answer_is_remembered_for_ten_seconds_per_question() -> None:
    remembered, asked = Remembered(), list[object]()
    for key, at in (("a", 0), ("a", 9), ("b", 9), ("a", 11), ("a", 5)):
        remembered.get(key, at * 1_000_000_000, partial(asked.append, (key, at)))
    assert asked == [("a", 0), ("b", 9), ("a", 11), ("a", 5)]


def test_while_one_asks_anew_the_others_get_the_old_answer_and_other_questions_do_not_wait() -> None:
    remembered, asking, go_on = Remembered(), threading.Event(), threading.Event()
    remembered.get("slow", 0, lambda: "old")

    def slow() -> str:
        asking.set()
        assert go_on.wait(10)
        return "new"

    later = 11 * NS_PER_S
    asker = threading.Thread(target=lambda: remembered.get("slow", later, slow))
    asker.start()
    assert asking.wait(10)
    assert remembered.get("slow", later, lambda: "nobody else asks") == "old"
    assert remembered.get("other", later, lambda: "at once") == "at once"
    go_on.set()
    asker.join(10)
    assert remembered.get("slow", later, lambda: "nobody asks again") == "new"


def test_who_asks_first_lets_the_others_wait_for_one_answer() -> None:
    remembered, asked = Remembered(), list[object]()

    def ask() -> int:
        asked.append(1)
        return len(asked)

    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(remembered.get("a", 0, ask))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (found, asked) == ([1] * 8, [1])


def test_a_question_that_fails_is_asked_again_by_the_next() -> None:
    remembered = Remembered()

    def fails() -> str:
        raise StoreError("no answer")

    with pytest.raises(StoreError):
        remembered.get("a", 0, fails)
    assert remembered.get("a", 0, lambda: "there") == "there"


def test_who_waits_for_an_answer_that_does_not_come_is_told_so() -> None:
    remembered, asking, go_on = Remembered(longest_wait_s=0.01), threading.Event(), threading.Event()

    def slow() -> str:
        asking.set()
        assert go_on.wait(10)
        return "late"

    asker = threading.Thread(target=lambda: remembered.get("slow", 0, slow))
    asker.start()
    assert asking.wait(10)
    with pytest.raises(StoreError, match=r"not answered for 0\.01 s"):
        remembered.get("slow", 0, lambda: "nobody else asks")
    go_on.set()
    asker.join(10)
    assert remembered.get("slow", 0, lambda: "nobody asks again") == "late"
