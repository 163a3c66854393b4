"""Logs of the gateway's processes: one JSON object a line on standard error, infos and worse."""

import logging
import os
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog

LEAST_S = 1.0


class Lossy:
    """Writes lines to a descriptor, and loses what that does not take: a full disk must not stop who only wanted to tell."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, text: str) -> None:
        """All of it, or as much as there is room for."""
        with suppress(OSError):
            os.write(self._descriptor, text.encode("utf-8", "replace"))

    def flush(self) -> None:
        """Nothing waits here."""


class Repeated:
    """Tells whether a complaint is due: at most one a second, and the same again only every `again_s`."""

    def __init__(self, again_s: float = 300.0) -> None:
        self._again_s = again_s
        self._latest: str | None = None
        self._told_s = 0.0

    def due(self, complaint: str, now_s: float) -> bool:
        """Whether to say it at `now_s`, in seconds of a clock that only goes forward. A yes counts as said."""
        quiet_s = self._again_s if complaint == self._latest else LEAST_S
        if self._latest is not None and now_s - self._told_s < quiet_s:
            return False
        self._latest, self._told_s = complaint, now_s
        return True


def log_as_json() -> None:
    """From now on. Events carry ids and reasons, never headers, bodies or keys."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, Lossy(sys.stderr.fileno()))),
    )
