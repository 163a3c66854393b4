"""What a gateway is told at its start: a value that its processes hand on to each other."""

import os
import secrets
from pathlib import Path

import msgspec

from holdfast.context.entities import RedactionPolicy
from holdfast.core.errors import ConfigurationError
from holdfast.gateway.spool import SpoolLimits
from holdfast.ingest.auth import is_loopback
from holdfast.ingest.checkpoint import make_once

MIN_KEY_BYTES = 16
MAX_TOKEN_BYTES = 4096


class GatewayConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a gateway needs to know before it has a snapshot.

    Args:
        directory: of the last good snapshot, the kill switch, the spool and the workers' status.
        host, port: where it listens; port 0 chooses a free one.
        workers: processes that serve.
        gateway_id: by which the server knows it.
        server_url, server_token: the control plane; empty: none, and `snapshot` is all there is.
        server_token_file: where the token is read, each time anew, while `server_token` is empty: a server on the same machine
            makes it at its first start, which may be after the gateway's.
        otlp_url, otlp_token: where telemetry goes; empty: it waits in the spool.
        snapshot: a file with a snapshot that is followed where there is no server.
        calibrations: what people's labels taught, followed where it is there; None: in `directory`.
        redaction, redaction_key: what is redacted from telemetry, and the key of the pseudonyms.
        content: whether telemetry carries messages and answers.
        metrics_token: asked for by /metrics; empty: nobody is asked.
        max_body_bytes, max_buffered_bytes: of one request, and of all of a worker together.
        body_timeout_s: for the arrival of a body.
        drain_s: how long requests may still take after SIGTERM; `notice_s` before that /readyz already says no.
    """

    directory: Path
    host: str = "127.0.0.1"
    port: int = 4000
    workers: int = 1
    gateway_id: str = "gateway"
    server_url: str = ""
    server_token: str = ""
    server_token_file: Path | None = None
    otlp_url: str = ""
    otlp_token: str = ""
    snapshot: Path | None = None
    calibrations: Path | None = None
    redaction: RedactionPolicy = RedactionPolicy()
    redaction_key: bytes
    content: bool = True
    metrics_token: str = ""
    max_body_bytes: int = 32 * 2**20
    max_buffered_bytes: int = 64 * 2**20
    body_timeout_s: float = 30.0
    drain_s: float = 30.0
    notice_s: float = 0.0
    spool: SpoolLimits = SpoolLimits()

    @property
    def keyless(self) -> bool:
        """Whether it may serve without virtual keys."""
        return is_loopback(self.host)

    def shown_token(self) -> str:
        """What the control plane is shown now; empty where there is nothing to show."""
        if self.server_token or self.server_token_file is None:
            return self.server_token
        try:
            token = self.server_token_file.read_bytes()[:MAX_TOKEN_BYTES].decode("ascii", "replace").strip()
        except OSError:
            return ""
        # What no header can carry is no token, and must not end the chores that would show it.
        return token if token.isprintable() else ""

    def spool_of(self, worker: int) -> Path:
        """Folder of the spool of one worker."""
        return self.directory / "spool" / str(worker)

    @property
    def spools(self) -> list[Path]:
        """Folders of all spools that there are, those of workers that are gone included."""
        return sorted(p for p in (self.directory / "spool").glob("*") if p.is_dir())


def encode_config(config: GatewayConfig) -> bytes:
    """One line, for the standard input of a worker: secrets stay off command lines and out of environments."""
    return msgspec.json.encode(config, enc_hook=_plain) + b"\n"


def decode_config(data: bytes) -> GatewayConfig:
    """What `encode_config` gave.

    Raises:
        ConfigurationError: something else.
    """
    try:
        return msgspec.json.decode(data, type=GatewayConfig, dec_hook=_path)
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"configuration of the gateway: {error}") from error


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value).__name__)


def _path(kind: type, value: object) -> object:
    if issubclass(kind, Path):
        return Path(str(value))
    raise NotImplementedError(kind.__name__)


def checked(config: GatewayConfig) -> GatewayConfig:
    """`config` with its folders made, readable by their owner only.

    Raises:
        ConfigurationError: a value makes no sense, or a folder cannot be had.
    """
    if not 1 <= config.workers <= 64:
        raise ConfigurationError(f"gateway.workers: must be from 1 to 64, not {config.workers}")
    if len(config.redaction_key) < MIN_KEY_BYTES:
        raise ConfigurationError(f"the key of the pseudonyms must have at least {MIN_KEY_BYTES} bytes")
    if not is_loopback(config.host) and not config.metrics_token:
        raise ConfigurationError("gateway.metrics_token: needed because gateway.host is not a loopback address")
    try:
        config.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(f"gateway.data_dir {config.directory}: {error.strerror}") from error
    if not os.access(config.directory, os.W_OK):
        raise ConfigurationError(f"gateway.data_dir {config.directory}: cannot be written")
    return config


def own_key(directory: Path) -> bytes:
    """The key of the pseudonyms, made once.

    Raises:
        StoreError: it could not be written.
        ConfigurationError: the file is there, but no key.
    """
    path = directory / "redaction.key"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A server on this machine may be starting too, and wants the same file.
        make_once(path, secrets.token_bytes(32))
    key = path.read_bytes()
    if len(key) < MIN_KEY_BYTES:
        raise ConfigurationError(f"{path}: not a key; remove it to have a new one made")
    return key
