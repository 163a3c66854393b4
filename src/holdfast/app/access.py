"""Access as the settings want it: tokens of this machine and of the configuration, limits, the link of the first run."""

import secrets
from pathlib import Path

from holdfast.access.access import HOUR_NS, LOCAL, Access, AccessPolicy
from holdfast.access.oidc import SIGN_ON_BACK, SignOn, SignOnPolicy
from holdfast.core.clock import Clock
from holdfast.core.errors import ConfigurationError
from holdfast.ingest.checkpoint import replace_file
from holdfast.ledger.accounts import Accounts
from holdfast.settings import Settings

SHORTEST_SECRET = 32


def local_token_file(settings: Settings) -> Path:
    """Where the token is that programs on this machine use: who can read it could open the stores just as well."""
    return settings.server.data_dir / "local.token"


def local_token(settings: Settings) -> str:
    """The token of this machine, made when there is none.

    Raises:
        ConfigurationError: the file is too short to be one.
    """
    path = local_token_file(settings)
    if not path.exists():
        replace_file(path, secrets.token_urlsafe(32).encode())
        path.chmod(0o600)
    token = path.read_text().strip()
    if len(token) < SHORTEST_SECRET:
        raise ConfigurationError(f"{path}: no token; remove it to have a new one made")
    return token


def build_access(settings: Settings, accounts: Accounts, clock: Clock) -> Access:
    """Who may ask."""
    section, configured = settings.access, settings.server.api_token
    fixed = {local_token(settings): LOCAL}
    if configured:
        fixed[configured.get_secret_value()] = "token:configured"
    policy = AccessPolicy(
        idle_ns=int(section.session_idle_h * HOUR_NS),
        session_ns=int(section.session_max_h * HOUR_NS),
        demo=section.demo,
    )
    return Access(accounts, clock, policy, fixed)


def setup_link(settings: Settings, access: Access) -> str:
    """Where the first administrator makes an account; empty when there is one."""
    secret = access.open_setup()
    return f"{settings.console_url}/setup#{secret}" if secret else ""


def build_sign_on(settings: Settings, clock: Clock) -> SignOn | None:
    """Single sign-on; None where there is none."""
    section = settings.sign_on
    if not section.issuer or section.client_secret is None:
        return None
    policy = SignOnPolicy(
        issuer=section.issuer,
        client_id=section.client_id,
        client_secret=section.client_secret.get_secret_value(),
        redirect_uri=settings.console_url + SIGN_ON_BACK,
        label=section.label,
        groups_claim=section.groups_claim,
        groups=section.groups,
    )
    return SignOn(policy, clock)
