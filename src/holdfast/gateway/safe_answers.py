"""Answers that passed every guard, kept to be served again when no target can answer the very same request."""

import hashlib

from holdfast.core.clock import NS_PER_S, Clock

MAX_BYTES = 16 * 1024 * 1024
MAX_ANSWER_BYTES = 64 * 1024
MAX_AGE_S = 24 * 3600.0
_SEPARATOR = b"\x1f"


class SafeAnswers:
    """Bounded in bytes; the oldest give way. Who asks is part of the key: nobody is served somebody else's answer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[bytes, tuple[int, bytes]] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    @staticmethod
    def key(route: str, application: str, tenant: str, user: str, body: bytes) -> bytes:
        """Identity of a request: who asks what of which route."""
        parts = [part.encode("utf-8", "surrogatepass") for part in (route, application, tenant, user)]
        return hashlib.sha256(_SEPARATOR.join([*parts, body])).digest()

    def put(self, key: bytes, answer: bytes) -> None:
        """Keep an answer; one that is too long is not kept."""
        if len(answer) > MAX_ANSWER_BYTES:
            return
        self._drop(key)
        self._kept[key] = (self._clock.now_ns(), answer)
        self._bytes += len(answer)
        while self._bytes > MAX_BYTES:
            self._drop(next(iter(self._kept)))

    def get(self, key: bytes) -> bytes | None:
        """The answer of at most a day ago, else None."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if self._clock.now_ns() - kept[0] > MAX_AGE_S * NS_PER_S:
            self._drop(key)
            return None
        return kept[1]

    def _drop(self, key: bytes) -> None:
        if key in self._kept:
            self._bytes -= len(self._kept.pop(key)[1])
