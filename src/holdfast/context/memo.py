"""A bounded memory of answers: what was asked lately is kept, what was not is forgotten."""

from collections.abc import Hashable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Memo(Generic[Answer]):
    """Two generations of a dictionary: when the young one is full it becomes the old one, and the old one is forgotten.

    Reading takes no lock. `max_weight` bounds the sum of the weights of each generation, `max_entries` their number.
    """

    def __init__(self, max_entries: int = 8192, max_weight: int = 4_000_000) -> None:
        self._max_entries, self._max_weight = max_entries, max_weight
        self._young: dict[Hashable, Answer] = {}
        self._old: dict[Hashable, Answer] = {}
        self._weight = 0

    def __len__(self) -> int:
        """Answers kept."""
        return len(self._young) + len(self._old)

    def get(self, question: Hashable) -> Answer | None:
        """The answer, or None where it is not known."""
        answer = self._young.get(question)
        if answer is not None:
            return answer
        answer = self._old.get(question)
        if answer is not None:
            self.put(question, answer, 1)
        return answer

    def put(self, question: Hashable, answer: Answer, weight: int) -> None:
        """Remember `answer`. Threads that meet here can only lose an answer, never mix two."""
        if len(self._young) >= self._max_entries or self._weight >= self._max_weight:
            self._old, self._young, self._weight = self._young, {}, 0
        self._young[question] = answer
        self._weight += weight
