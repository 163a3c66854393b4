"""Clients that ask a gateway again and again."""

import threading
import time
from collections import Counter
from collections.abc import Callable

import httpx

from holdfast.testing.gateway import KEY
from holdfast.testing.upstream import wait_until

CHAT = "/v1/chat/completions"
HEADERS = {"authorization": f"Bearer {KEY}"}

Said = Callable[[int], str]
"""What a client asks the nth time, from 1 on."""
Told = Callable[[str, httpx.Response | str], str]
"""How an answer, or the name of the error in its place, is counted; given what was asked."""


def by_target(_: str, answer: httpx.Response | str) -> str:
    """Status and the target that served."""
    if isinstance(answer, str):
        return answer
    return f"{answer.status_code} {answer.headers.get('x-holdfast-target', '')}".strip()


class Load:
    """Clients that ask until they are told to stop; what each got is counted in `seen`."""

    def __init__(
        self, url: str, clients: int = 4, said: Said = lambda _: "hi", told: Told = by_target, patience_s: float = 20
    ) -> None:
        self._url, self._said, self._told, self._patience_s = url, said, told, patience_s
        self._stop = threading.Event()
        self.seen: Counter[str] = Counter()
        self.slowest_s = 0.0
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def _run(self) -> None:
        number = 0
        with httpx.Client(timeout=self._patience_s / 2) as client:
            while not self._stop.is_set():
                number += 1
                text, start = self._said(number), time.perf_counter()
                body = {"model": "m", "messages": [{"role": "user", "content": text}]}
                answer: httpx.Response | str
                try:
                    answer = client.post(self._url + CHAT, json=body, headers=HEADERS)
                except httpx.TransportError as error:
                    answer = type(error).__name__
                self.seen[self._told(text, answer)] += 1
                self.slowest_s = max(self.slowest_s, time.perf_counter() - start)

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(self._patience_s)

    @property
    def total(self) -> int:
        """Answers so far."""
        return self.seen.total()

    def wait_for(self, more: int) -> None:
        """Until so many more answers are there."""
        wanted = self.total + more
        wait_until(lambda: self.total >= wanted, self._patience_s)
