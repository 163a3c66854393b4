"""`Post`: a JSON request to a service that may be slow, broken or gone: time-outs, retries within a budget, bounded answers."""

import random
import time
from collections.abc import Callable
from threading import Lock

import httpx

from holdfast.core.errors import UnavailableError

MAX_ANSWER_BYTES = 4 * 1024 * 1024
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 20.0
RETRYABLE = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
RETRIES_SAVED = 10.0
RETRY_SHARE = 0.2
"""Each request that succeeds pays for a fifth of a retry; ten at most are saved up. An outage is not made worse by retrying."""


class Retries:
    """How many more retries may be made. Safe to use from several threads."""

    def __init__(self) -> None:
        self._left = RETRIES_SAVED
        self._lock = Lock()

    def earn(self) -> None:
        """A request succeeded."""
        with self._lock:
            self._left = min(self._left + RETRY_SHARE, RETRIES_SAVED)

    def take(self) -> bool:
        """Whether one more may be made; it then counts."""
        with self._lock:
            if self._left < 1.0:
                return False
            self._left -= 1.0
            return True


class Post:
    """Posts JSON to one URL. Redirects are not followed: a secret goes only where it was meant to.

    Args:
        headers: sent with every request; they may hold a secret, and are never part of a message.
        timeout_s: of one attempt, to the last byte.
        pause: waits for so many seconds; tests pass one that does not.
    """

    def __init__(
        self,
        url: str,
        headers: dict[str, str],
        timeout_s: float,
        attempts: int = 3,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._pause = pause
        self._retries = Retries()
        self._client = httpx.Client(headers=headers, timeout=timeout_s, follow_redirects=False)

    def close(self) -> None:
        """Lets go of the connections."""
        self._client.close()

    def send(self, body: bytes, before: Callable[[], object] = lambda: None) -> bytes:
        """The body of a successful answer. `before` is called ahead of each attempt and may raise to stop it.

        Raises:
            UnavailableError: no attempt succeeded, or the answer was not 2xx; says what the last one met.
        """
        attempt = 0
        while True:
            attempt += 1
            before()
            try:
                answer = self._once(body)
            except _AgainError as error:
                if attempt >= self._attempts or not self._retries.take():
                    raise UnavailableError(f"{error} ({attempt} attempts)") from None
                self._pause(_pause_s(attempt, error.after_s))
                continue
            self._retries.earn()
            return answer

    def _once(self, body: bytes) -> bytes:
        deadline = time.monotonic() + self._timeout_s
        headers = {"content-type": "application/json"}
        try:
            with self._client.stream("POST", self._url, content=body, headers=headers) as response:
                if response.status_code in RETRYABLE:
                    raise _AgainError(f"answered {response.status_code}", _after_s(response))
                if not response.is_success:
                    raise UnavailableError(f"answered {response.status_code}")
                return _read(response, deadline)
        except httpx.TimeoutException:
            raise _AgainError(f"no answer within {self._timeout_s:g} s") from None
        except httpx.HTTPError as error:
            # The message of a transport error names addresses at most; the type says enough for the rest.
            raise _AgainError(f"{type(error).__name__}: {error}") from None


class _AgainError(Exception):
    """Worth another attempt. `after_s`: when the service asked for it, 0 where it did not."""

    def __init__(self, message: str, after_s: float = 0.0) -> None:
        super().__init__(message)
        self.after_s = after_s


def _read(response: httpx.Response, deadline: float) -> bytes:
    parts, size = [], 0
    for part in response.iter_bytes():
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            raise UnavailableError(f"answered with more than {MAX_ANSWER_BYTES} bytes")
        if time.monotonic() > deadline:
            raise _AgainError("the answer did not end in time")
        parts.append(part)
    return b"".join(parts)


def _after_s(response: httpx.Response) -> float:
    try:
        return max(float(response.headers.get("retry-after", "0")), 0.0)
    except ValueError:
        return 0.0


def _pause_s(attempt: int, after_s: float) -> float:
    """Exponential with full jitter, at least what the service asked for, at most 20 s."""
    grown = FIRST_PAUSE_S * 2.0 ** (attempt - 1)
    return float(min(max(random.uniform(0, grown), after_s), LONGEST_PAUSE_S))
