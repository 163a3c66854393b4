"""`holdfast gateway`: the data plane, in the path of every model call."""

import asyncio
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from pydantic import SecretStr

from holdfast.cli.console import ConfigOption, err, settings_of, told
from holdfast.context.entities import Entity, RedactionPolicy, Treatment
from holdfast.core.clock import SystemClock
from holdfast.core.errors import ConfigurationError
from holdfast.gateway.config import GatewayConfig, own_key
from holdfast.gateway.logs import log_as_json
from holdfast.gateway.spool import SpoolLimits
from holdfast.gateway.supervisor import Supervisor
from holdfast.gateway.switch import Position, write_switch
from holdfast.ingest.auth import is_loopback
from holdfast.score.calibrator import FILE_NAME as CALIBRATIONS
from holdfast.settings import Settings

LOCAL_TOKEN = "local.token"  # noqa: S105 - a file's name, as `holdfast.app.access` has it: that imports a database
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what a server listens on, turned into what can be asked

SnapshotOption = Annotated[
    Path | None, typer.Option("--snapshot", metavar="FILE", help="Follow this snapshot file instead of a server.")
]
WorkersOption = Annotated[int | None, typer.Option("--workers", min=1, max=64, help="Processes that serve.")]
PortOption = Annotated[int | None, typer.Option("--port", min=0, max=65_535, help="Port to listen on; 0 chooses a free one.")]
SwitchOption = Annotated[
    Position | None, typer.Option("--switch", help="Throw the kill switch of the gateway that runs here, and end.")
]


def gateway(
    config: ConfigOption = None,
    snapshot: SnapshotOption = None,
    workers: WorkersOption = None,
    port: PortOption = None,
    switch: SwitchOption = None,
) -> None:
    """Serve model calls: OpenAI's and Anthropic's APIs on port 4000.

    Example: holdfast gateway --snapshot snapshot.json, then OPENAI_BASE_URL=http://127.0.0.1:4000/v1 for your application
    """
    with told():
        given = {"snapshot": snapshot, "workers": workers, "port": port}
        overrides: dict[str, object] = {key: value for key, value in given.items() if value is not None}
        if snapshot is not None:
            overrides["server_url"] = ""
        settings = settings_of(config, {"gateway": overrides} if overrides else None)
        directory = gateway_dir(settings)
        if switch is not None:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_switch(directory, switch)
            err.print(f"kill switch: {switch.value}")
            return
        supervisor = Supervisor(config_of(settings), SystemClock())
        log_as_json()
        asyncio.run(supervisor.run(_greet))


def _greet(host: str, port: int) -> None:
    err.print(f"gateway listens on http://{host}:{port}", soft_wrap=True)


def gateway_dir(settings: Settings) -> Path:
    """Folder of the gateway's files."""
    return settings.gateway.data_dir or settings.server.data_dir / "gateway"


def config_of(settings: Settings) -> GatewayConfig:
    """What the gateway is told.

    Raises:
        ConfigurationError: an entity is unknown, or the key of the pseudonyms is none.
        StoreError: the key could not be written.
    """
    own, directory = settings.gateway, gateway_dir(settings)
    token, server_url = _shown(own.server_token or settings.server.api_token), _server_url(settings)
    return GatewayConfig(
        directory=directory,
        host=own.host,
        port=own.port,
        workers=own.workers,
        gateway_id=own.id,
        server_url=server_url,
        server_token=token,
        server_token_file=None if token else _token_file(settings, server_url),
        otlp_url=_otlp_url(settings),
        otlp_token=_shown(own.otlp_token),
        snapshot=own.snapshot,
        calibrations=settings.server.data_dir / CALIBRATIONS,
        redaction=_redaction(settings),
        redaction_key=own_key(_folder_of_key(settings, server_url)),
        content=own.content,
        metrics_token=_shown(own.metrics_token),
        max_body_bytes=own.max_body_bytes,
        body_timeout_s=own.body_timeout_s,
        drain_s=own.drain_s,
        notice_s=own.notice_s,
        spool=SpoolLimits(max_bytes=own.spool_bytes),
    )


def _server_url(settings: Settings) -> str:
    """Where the control plane is: unless somebody says another place, the server that has the same settings."""
    if settings.gateway.server_url is not None:
        return settings.gateway.server_url
    return _of_this_machine(settings.server.host, settings.server.api_port)


def _otlp_url(settings: Settings) -> str:
    if settings.gateway.otlp_url is not None:
        return settings.gateway.otlp_url
    return _of_this_machine(settings.server.host, settings.server.otlp_http_port)


def _of_this_machine(host: str, port: int) -> str:
    name = ANY_ADDRESS.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _token_file(settings: Settings, server_url: str) -> Path | None:
    """The token of this machine is shown to this machine only."""
    return settings.server.data_dir / LOCAL_TOKEN if is_loopback(urlsplit(server_url).hostname or "") else None


def _folder_of_key(settings: Settings, server_url: str) -> Path:
    """Pseudonyms are to be those of the server on this machine, whichever of the two starts first."""
    shared = settings.server.data_dir
    here = _token_file(settings, server_url) is not None
    return shared if here or (shared / "redaction.key").exists() else gateway_dir(settings)


def _shown(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""


def _redaction(settings: Settings) -> RedactionPolicy:
    try:
        return RedactionPolicy(
            default=Treatment(settings.redaction.default),
            entities={Entity(name): Treatment(value) for name, value in settings.redaction.entities.items()},
        )
    except ValueError as error:
        raise ConfigurationError(f"redaction.entities: {error}") from error
