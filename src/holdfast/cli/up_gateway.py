"""The gateway that `holdfast up` runs: the same program as `holdfast gateway`, as a child of the server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from holdfast.settings import Settings

log = structlog.get_logger(__name__)

GRACE_S = 10.0
"""Beyond the time that its settings give it to drain."""


@contextmanager
def gateway_beside(settings: Settings, config: Path | None, data_dir: Path | None) -> Iterator[subprocess.Popen[bytes]]:
    """A gateway with the same settings, for as long as this lasts; it drains at the end.

    It says on standard error why it cannot start, for instance that its port is taken; the server goes on without it. A server
    that is killed leaves it serving: it follows the next one.
    """
    command = [sys.executable, "-m", "holdfast", "gateway", *(["--config", str(config)] if config else [])]
    environment = dict(os.environ) | ({"HOLDFAST_SERVER__DATA_DIR": str(data_dir)} if data_dir else {})
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)  # noqa: S603 - our own program
    try:
        yield process
    finally:
        process.terminate()
        patience_s = settings.gateway.drain_s + settings.gateway.notice_s + GRACE_S
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            log.error("gateway did not end in time", after_s=patience_s)
            process.kill()
            process.wait()
