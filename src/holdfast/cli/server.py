"""`holdfast server` and `holdfast up`: the live side."""

import logging
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from rich.markup import escape

from holdfast.app.server import Server
from holdfast.cli.console import ConfigOption, err, settings_of, told
from holdfast.cli.up_gateway import gateway_beside
from holdfast.core.errors import ConfigurationError
from holdfast.ingest.receiver import Endpoints
from holdfast.settings import Settings

DataDir = Annotated[Path | None, typer.Option("--data-dir", metavar="DIR", help="Folder of stores, journal and keys.")]
WithGateway = Annotated[bool, typer.Option("--gateway/--no-gateway", help="Run the gateway too, as `holdfast gateway` does.")]


def server(config: ConfigOption = None, data_dir: DataDir = None) -> None:
    """Receiver, pipeline and API, with logs as JSON on stderr; stores as configured.

    Example: holdfast server --config /etc/holdfast.toml
    """
    with told():
        settings = _settings(config, data_dir)
        log_as_json()
        found = Server(settings)
        found.run(lambda _: _tell_setup(found.setup_link))


def up(config: ConfigOption = None, data_dir: DataDir = None, gateway: WithGateway = True) -> None:
    """Everything on this machine with embedded stores: nothing to set up.

    Example: holdfast up, then OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 for your application
    """
    with told():
        settings = _settings(config, data_dir)
        if settings.stores.telemetry or settings.stores.ledger:
            raise ConfigurationError(
                "stores.telemetry and stores.ledger: `holdfast up` has embedded stores; use `holdfast server`"
            )
        log_as_json()
        found = Server(settings)
        with gateway_beside(settings, config, data_dir) if gateway else nullcontext():
            found.run(lambda endpoints: greet(settings, endpoints, found.setup_link, gateway))


def _settings(config: Path | None, data_dir: Path | None) -> Settings:
    overrides: dict[str, Any] = {"server": {"data_dir": data_dir}} if data_dir else {}
    return settings_of(config, overrides)


def greet(settings: Settings, endpoints: Endpoints, setup_link: str, gateway: bool) -> None:
    """Where everything is reached."""
    err.print("[bold]Holdfast is up.[/] Stop it with Ctrl-C.")
    err.print(f"  OTLP/HTTP  {endpoints.http_url}   (OTEL_EXPORTER_OTLP_ENDPOINT)")
    err.print(f"  OTLP/gRPC  {endpoints.grpc_target}")
    err.print(f"  console    http://{settings.server.host}:{settings.server.api_port}/")
    err.print(f"  data       {escape(str(settings.server.data_dir.resolve()))}")
    err.print("  incidents  holdfast incident list")
    if gateway:
        err.print(
            f"  gateway    http://{settings.gateway.host}:{settings.gateway.port}/v1   (OPENAI_BASE_URL, once it has routes)"
        )
    if settings.access.demo:
        err.print("[bold red]  demo: everybody who reaches this machine's loopback address is an administrator[/]")
    _tell_setup(setup_link)


def _tell_setup(link: str) -> None:
    """The first administrator is made with it: shown once, good for an hour, worth nothing afterwards."""
    if link:
        err.print(f"\n[bold]No administrator yet.[/] Make the first one within an hour: {escape(link)}", soft_wrap=True)


def log_as_json() -> None:
    """One JSON object a line on stderr, warnings and worse, and our own infos."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
