"""Why a target gave no usable answer: a value, since what is tried next, and what breakers count, depends on it."""

from enum import StrEnum


class Failure(StrEnum):
    """Why a target gave no usable answer."""

    CONNECT = "connect"
    TIMEOUT = "timeout"
    RESET = "reset"
    STATUS = "status"
    BUSY = "busy"
    """429: back-pressure, which no breaker counts."""
    GARBAGE = "garbage"
    SATURATED = "saturated"
    """As many requests as the target may have at once are under way: the target has not been asked."""
    CREDENTIALS = "credentials"


class UpstreamError(Exception):
    """No usable answer. The message names no secret and no content."""

    def __init__(self, failure: Failure, message: str) -> None:
        super().__init__(message)
        self.failure = failure
