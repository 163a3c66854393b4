"""Settings: one TOML file, environment variables over it, checked at start.

`HOLDFAST_CONFIG` names the file (else `holdfast.toml` in the working directory, if there is one); `HOLDFAST_SERVER__API_PORT=1`
overrides the key `server.api_port`. An unknown key is an error.
"""

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from holdfast.access.roles import Role
from holdfast.core.errors import ConfigurationError
from holdfast.score.external.specification import AnySpecification

DEFAULT_FILE = Path("holdfast.toml")
Treatment = Literal["keep", "pseudonymise", "drop"]
OwnTreatment = Literal["keep", "pseudonymise", "drop", "seal"]
Port = Annotated[int, Field(ge=0, le=65_535)]


class Section(BaseModel):
    """A table of the file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(Section):
    """Where the server listens and keeps its data."""

    data_dir: Path = Field(default=Path(".holdfast"), description="Folder of the embedded stores, the journal and the keys.")
    host: str = Field(default="127.0.0.1", description="Address of receiver and API. Anything but loopback needs tokens.")
    api_port: Port = Field(default=4001, description="Port of the API.")
    otlp_http_port: Port = Field(default=4318, description="Port of OTLP over HTTP, and of the changes endpoints.")
    otlp_grpc_port: Port = Field(default=4317, description="Port of OTLP over gRPC.")
    api_token: SecretStr | None = Field(default=None, description="Bearer token of the API; required beyond loopback.")


class StoreSettings(Section):
    """Which databases. Empty: embedded, below `server.data_dir`."""

    telemetry: str = Field(
        default="", description="chdb:///path or a ClickHouse URL such as http://user:password@host:8123/holdfast."
    )
    ledger: str = Field(default="", description="sqlite:///path or postgresql://user:password@host/database.")
    retention_days: int = Field(default=30, ge=1, description="Calls older than this are dropped. The ledger keeps everything.")


class IngestSettings(Section):
    """Limits of the receiver and of the assembly of traces."""

    max_body_bytes: int = Field(default=64 * 1024 * 1024, ge=1024, description="Limit of a request after decompression.")
    max_lag_bytes: int = Field(
        default=512 * 1024 * 1024, ge=1024 * 1024, description="Unprocessed journal above which senders are asked to wait (429)."
    )
    trace_linger_s: float = Field(
        default=2.0, ge=0, description="A trace with a root is complete when nothing came for this long."
    )
    trace_patience_s: float = Field(
        default=30.0, ge=0, description="A trace without a root is complete when nothing came for this long."
    )
    github_secret: SecretStr | None = Field(default=None, description="Secret of the GitHub deployment webhook.")


class GatewaySettings(Section):
    """The data plane: `holdfast gateway`."""

    host: str = Field(
        default="127.0.0.1", description="Address of the gateway. Anything but loopback needs keys and a metrics token."
    )
    port: Port = Field(default=4000, description="Port of the gateway; 0 chooses a free one.")
    workers: int = Field(default=1, ge=1, le=64, description="Processes that serve.")
    id: str = Field(
        default="gateway", pattern=r"^[A-Za-z0-9._-]{1,128}$", description="Name by which the server knows this gateway."
    )
    data_dir: Path | None = Field(
        default=None, description="Folder of its last good snapshot, kill switch and spool; else gateway below server.data_dir."
    )
    server_url: str | None = Field(
        default=None,
        description="Where the control plane is; by default the server of this machine. Empty: none, the snapshot file is all.",
    )
    server_token: SecretStr | None = Field(
        default=None, description="Token that it shows there. A server on this machine takes this machine's own."
    )
    otlp_url: str | None = Field(
        default=None,
        description="Where its telemetry goes; by default the receiver of this machine. Empty: it waits in the spool.",
    )
    otlp_token: SecretStr | None = Field(default=None, description="Ingest token that it shows there.")
    snapshot: Path | None = Field(default=None, description="A snapshot file to follow where there is no server.")
    content: bool = Field(default=True, description="Whether its telemetry carries messages and answers, redacted.")
    metrics_token: SecretStr | None = Field(default=None, description="Bearer token of /metrics; required beyond loopback.")
    max_body_bytes: int = Field(default=32 * 1024 * 1024, ge=1024, description="Limit of one request.")
    body_timeout_s: float = Field(default=30.0, gt=0, le=600, description="How long a request may take to arrive.")
    drain_s: float = Field(default=30.0, gt=0, le=3600, description="How long requests may still take after SIGTERM.")
    notice_s: float = Field(default=0.0, ge=0, le=600, description="How long /readyz says no before the gateway stops to listen.")
    spool_bytes: int = Field(
        default=256 * 1024 * 1024,
        ge=1024 * 1024,
        description="Telemetry that may wait on disk, per worker; more is dropped and counted.",
    )


class ScoringSettings(Section):
    """How much time is spent on a call."""

    second_opinions: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="Share of one processor core that the server gives to the encoder, which is asked where the fast heads are"
        " unsure (about ten milliseconds a text). 0 leaves it out; `analyze` asks it whenever it is not 0.",
    )


class DetectionSettings(Section):
    """How often Holdfast may be wrong."""

    false_alarms_per_day: float = Field(default=0.2, gt=0, le=100, description="False alarms a day of the whole installation.")


class ObjectiveSettings(Section):
    """What was promised of a metric, whose error budget is watched by its burn rate. There are none by default."""

    metric: str = Field(description="Metric that it is about, such as error or latency.")
    share: float = Field(ge=0.5, lt=1, description="Share of the calls that must be good, such as 0.995.")
    bad_from: float | None = Field(
        default=None, description="Value from which a call is bad, in the metric's unit; needed unless it is a probability."
    )
    days: float = Field(default=30, ge=1, le=90, description="Length of the period in days.")
    service: str = Field(default="", description="Application that it holds for; empty for each of them.")
    where: dict[str, str] = Field(default_factory=dict, max_length=1, description="One dimension with its value, at most.")


class RedactionSettings(Section):
    """What is done with personal data and secrets before anything is stored."""

    default: Treatment = Field(default="pseudonymise", description="For every entity not named below.")
    entities: dict[str, Treatment] = Field(
        default_factory=dict, description="Entity, such as EMAIL_ADDRESS, to what is done with it."
    )


class VaultSettings(Section):
    """Where the originals are that an application has sealed. There is none unless one does."""

    store: str = Field(
        default="",
        description="sqlite:///path or postgresql://user:password@host/database. Empty: vault.sqlite below server.data_dir.",
    )
    key_file: Path | None = Field(
        default=None,
        description="File with the keys, readable by the server's user only; made where there is none. By default below"
        " server.data_dir, where a copy of the folder opens the vault: better on another disk.",
    )
    max_originals: int = Field(
        default=100_000, ge=1, le=10_000_000, description="Originals kept of an application; beyond, the oldest make room."
    )


class ApplicationSettings(Section):
    """One application: what is special about it."""

    ingest_token_sha256: str = Field(
        default="", pattern=r"^([0-9a-f]{64})?$", description="Hash of the token that its senders present."
    )
    redaction: dict[str, OwnTreatment] = Field(
        default_factory=dict,
        description="Entity to what is done with it, for this application: as above, or `seal`: pseudonymise, and keep the"
        " original in the vault. Secrets are never sealed.",
    )
    services: list[str] = Field(
        default_factory=list, description="Values of service.name that its token may send; else its own name."
    )


class AccessSettings(Section):
    """Who may use API and console. Accounts and tokens are made there, not here."""

    demo: bool = Field(default=False, description="Everybody on this machine is an administrator. Loopback only, said in red.")
    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s/]+)?$",
        description="Where browsers reach the console, such as https://holdfast.example.com. With https, cookies are secure.",
    )
    session_idle_h: float = Field(default=12, gt=0, le=168, description="Hours after which an unused session ends.")
    session_max_h: float = Field(default=168, gt=0, le=720, description="Hours after which any session ends.")


class SignOnSettings(Section):
    """Single sign-on with OpenID Connect. Register PUBLIC_URL/login/oidc/callback there, PUBLIC_URL being `access.public_url`."""

    issuer: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="The provider, such as https://login.example.com/realms/main. Empty: there is none. https beyond loopback.",
    )
    client_id: str = Field(default="", max_length=256, description="Name of Holdfast at the provider.")
    client_secret: SecretStr | None = Field(default=None, description="Its secret there.")
    label: str = Field(default="single sign-on", max_length=64, description="What the button says behind: Sign in with.")
    groups_claim: str = Field(
        default="groups",
        min_length=1,
        description="Claim of the ID token that lists a person's groups; with dots, one inside of others: realm_access.roles.",
    )
    groups: dict[str, dict[str, Role]] = Field(
        default_factory=dict,
        description='Group to roles by application, * for all: groups.oncall = { "*" = "responder" }. No group, no entry.',
    )

    @model_validator(mode="after")
    def _whole(self) -> "SignOnSettings":
        if not self.issuer:
            return self
        missing = [name for name in ("client_id", "client_secret", "groups") if not getattr(self, name)]
        if missing:
            raise ValueError(f"{', '.join(missing)}: needed because issuer is set")
        if not self.issuer.startswith("https:") and not is_loopback(urlsplit(self.issuer).hostname or ""):
            raise ValueError("issuer: must begin with https, because it is not on a loopback address")
        return self


class Settings(BaseSettings):
    """All settings. Built by `load`, which turns every mistake into a `ConfigurationError` that names the key."""

    model_config = SettingsConfigDict(
        env_prefix="HOLDFAST_", env_nested_delimiter="__", extra="forbid", frozen=True, nested_model_default_partial_update=True
    )

    server: ServerSettings = ServerSettings()
    stores: StoreSettings = StoreSettings()
    ingest: IngestSettings = IngestSettings()
    scoring: ScoringSettings = ScoringSettings()
    detection: DetectionSettings = DetectionSettings()
    gateway: GatewaySettings = GatewaySettings()
    redaction: RedactionSettings = RedactionSettings()
    vault: VaultSettings = VaultSettings()
    access: AccessSettings = AccessSettings()
    sign_on: SignOnSettings = SignOnSettings()
    applications: dict[str, ApplicationSettings] = {}
    objectives: dict[str, ObjectiveSettings] = {}
    scorers: dict[str, AnySpecification] = {}

    @model_validator(mode="after")
    def _demo_stays_on_loopback(self) -> "Settings":
        if self.access.demo and not is_loopback(self.server.host):
            raise ValueError("access.demo: everybody would be an administrator, and server.host is not a loopback address")
        return self

    @model_validator(mode="after")
    def _beyond_loopback_needs_tokens(self) -> "Settings":
        if is_loopback(self.server.host):
            return self
        if self.server.api_token is None:
            raise ValueError("server.api_token: needed because server.host is not a loopback address")
        if not any(application.ingest_token_sha256 for application in self.applications.values()):
            raise ValueError("applications: one with ingest_token_sha256 is needed because server.host is not a loopback address")
        return self

    @model_validator(mode="after")
    def _sign_on_leads_back(self) -> "Settings":
        if self.sign_on.issuer and not self.access.public_url and not is_loopback(self.server.host):
            raise ValueError("access.public_url: needed because sign_on.issuer is set: browsers are sent back there")
        return self

    @property
    def console_url(self) -> str:
        """Where browsers reach the console, without a slash at its end."""
        host = f"[{self.server.host}]" if ":" in self.server.host else self.server.host
        return self.access.public_url.rstrip("/") or f"http://{host}:{self.server.api_port}"

    @property
    def telemetry_dsn(self) -> str:
        """DSN of the telemetry store."""
        return self.stores.telemetry or f"chdb://{(self.server.data_dir / 'telemetry').resolve()}"

    @property
    def ledger_url(self) -> str:
        """URL of the ledger."""
        return self.stores.ledger or f"sqlite:///{(self.server.data_dir / 'ledger.sqlite').resolve()}"

    @property
    def vault_url(self) -> str:
        """URL of the vault."""
        return self.vault.store or f"sqlite:///{(self.server.data_dir / 'vault.sqlite').resolve()}"

    @property
    def vault_key_file(self) -> Path:
        """Where the keys of the vault are."""
        return self.vault.key_file or self.server.data_dir / "vault.key"

    @property
    def journal_dir(self) -> Path:
        """Folder of the journal between receiver and pipeline."""
        return self.server.data_dir / "journal"


def is_loopback(host: str) -> bool:
    """Whether `host` is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load(path: Path | None = None, overrides: dict[str, Any] | None = None) -> Settings:
    """The settings from file, environment and `overrides` (nested, strongest).

    Raises:
        ConfigurationError: the file is missing or broken, or a value is wrong; names file and key.
    """
    file = path or Path(os.environ.get("HOLDFAST_CONFIG", DEFAULT_FILE))
    if not file.exists() and (path is not None or "HOLDFAST_CONFIG" in os.environ):
        raise ConfigurationError(f"{file}: no such file")

    class FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            toml = TomlConfigSettingsSource(settings_cls, file) if file.exists() else None
            return tuple(source for source in (init_settings, _Environment(settings_cls), toml) if source)

    try:
        return FromFile(**(overrides or {}))
    except ValidationError as error:
        raise ConfigurationError("\n".join(_problem(file, entry) for entry in error.errors(include_url=False))) from None
    except (ValueError, OSError) as error:
        raise ConfigurationError(f"{file}: {error}") from None


class _Environment(EnvSettingsSource):
    """The environment, without the variable that names the file."""

    def __call__(self) -> dict[str, Any]:
        """Values by section."""
        return {key: value for key, value in super().__call__().items() if key != "config"}


def _problem(file: Path, entry: Any) -> str:
    place = [str(part) for part in entry["loc"]]
    if place[:1] == ["scorers"]:
        del place[2:3]  # the kind, which pydantic puts between a scorer and its keys
    key = ".".join(place)
    message = entry["msg"].removeprefix("Value error, ")
    if entry["type"] == "extra_forbidden":
        message = "no such setting"
    return f"{file}: {key}: {message}" if key else f"{file}: {message}"
