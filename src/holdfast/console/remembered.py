"""The last answers of slow questions: fifty viewers ask the same."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any

from fastapi import Request

from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import StoreError

FRESH_NS = 10 * NS_PER_S
MOST_REMEMBERED = 256
LONGEST_WAIT_S = 10.0


class Remembered:
    """Answers by question, for ten seconds. Safe to use from several threads.

    Args:
        longest_wait_s: how long somebody waits for the answer to what another one asked first.
    """

    def __init__(self, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        self._longest_wait_s = longest_wait_s
        self._answers: dict[Hashable, tuple[int, Any]] = {}
        self._asking: dict[Hashable, Lock] = {}
        self._lock = Lock()

    def get(self, key: Hashable, now_ns: int, ask: Callable[[], Any]) -> Any:
        """The answer, asked anew when it is older than ten seconds.

        One asks; meanwhile the others get the old answer, or wait where there is none. Questions do not wait for each other.

        Raises:
            StoreError: the one who asks has no answer yet, after `longest_wait_s`.
        """
        with self._lock:
            found = self._answers.get(key)
            if found is not None and 0 <= now_ns - found[0] < FRESH_NS:
                return found[1]
            if len(self._answers) > MOST_REMEMBERED:
                self._answers.clear()
                self._asking.clear()
            asking = self._asking.setdefault(key, Lock())
        if not asking.acquire(timeout=self._longest_wait_s if found is None else 0):
            if found is None:
                raise StoreError(f"the store has not answered for {self._longest_wait_s:g} s")
            return found[1]
        try:
            with self._lock:
                later = self._answers.get(key)
            if later is not found and later is not None:
                return later[1]
            answer = ask()
            with self._lock:
                self._answers[key] = (now_ns, answer)
            return answer
        finally:
            asking.release()


def remembered_of(request: Request) -> Remembered:
    """What this application remembers."""
    state: Any = request.app.state
    if not hasattr(state, "remembered"):
        state.remembered = Remembered()
    found: Remembered = state.remembered
    return found
