"""A server's API on loopback over real stores, as commands find it: without receiver and pipeline."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.api.rate import RateLimit
from holdfast.api.revealing import Revealing
from holdfast.app.access import build_access
from holdfast.app.calibrations import build_calibrations
from holdfast.app.scorers import build_scorers
from holdfast.app.vault import open_vault
from holdfast.core.clock import SystemClock
from holdfast.core.trace import ScoredTrace
from holdfast.ledger.store import Ledger
from holdfast.live import Progress
from holdfast.settings import load
from holdfast.telemetry.store import TelemetryStore


def configured(folder: Path) -> Path:
    """A configuration whose API port is free at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    path = folder / "holdfast.toml"
    path.write_text(f'[server]\ndata_dir = "{folder}/data"\napi_port = {port}\n')
    return path


@contextmanager
def serving_api(config: Path, scored: Sequence[ScoredTrace]) -> Iterator[ApiContext]:
    """The API with these traces in its store."""
    settings, clock = load(config), SystemClock()
    settings.server.data_dir.mkdir(exist_ok=True)
    with TelemetryStore(settings.telemetry_dsn) as telemetry, Ledger(settings.ledger_url) as ledger:
        telemetry.append(scored)
        scorers, vault = build_scorers(settings, clock), open_vault(settings, clock)
        access = build_access(settings, ledger.accounts, clock)
        context = ApiContext(
            telemetry=telemetry,
            ledger=ledger,
            metrics=scorers.metrics,
            progress=Progress(last_read_ns=clock.now_ns()),
            clock=clock,
            access=access,
            rate=RateLimit(clock),
            calibrations=build_calibrations(settings, telemetry, scorers, clock),
            revealing=Revealing(vault, access, clock) if vault else None,
        )
        listening = socket.create_server(("127.0.0.1", settings.server.api_port))
        server = uvicorn.Server(uvicorn.Config(create_app(context), log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield context
        finally:
            server.should_exit = True
            thread.join(10)
            if vault is not None:
                vault.close()
