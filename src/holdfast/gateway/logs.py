"""Logs of the gateway's processes: one JSON object a line on standard error, infos and worse."""

import logging
import sys

import structlog


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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
