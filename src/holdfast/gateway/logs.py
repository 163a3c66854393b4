"""Logs of the gateway's processes: one JSON object a line on standard error, infos and worse."""

import logging
import os
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog


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
