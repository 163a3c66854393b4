"""Single sign-on: OpenID Connect's authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636)."""

import hmac
import secrets
from collections.abc import Callable, Sequence
from importlib import import_module
from threading import Lock
from typing import Any

import httpx
import msgspec
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped] # it has no type hints
from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped] # it has no type hints
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from holdfast.access.roles import Grants, NotSignedInError, Role
from holdfast.core.clock import NS_PER_S, Clock
from holdfast.core.errors import UnavailableError

ALGORITHMS = ("RS256", "ES256", "PS256")
"""Signatures that are taken: never `none`, and never one with a shared key."""
_CLIENT = next(base.__module__.partition(".")[0] for base in OAuth2Client.__mro__ if base.__module__.startswith("httpx"))
UNREACHABLE: tuple[type[Exception], ...] = (httpx.HTTPError, import_module(_CLIENT).HTTPError)
"""Authlib calls through httpx or its successor, whichever is installed; each has errors of its own."""
UNUSABLE: tuple[type[Exception], ...] = (*UNREACHABLE, JoseError, KeyError, ValueError)
LEEWAY_S = 60
KEPT_NS = 3600 * NS_PER_S
TIMEOUT_S = 10.0
PATIENCE_NS = 600 * NS_PER_S


class SignOnPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A provider, and who of its people may do what.

    `groups` maps a value of the claim `groups_claim` to roles by application. `redirect_uri` is ours, as registered there.
    """

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    groups_claim: str = "groups"
    groups: dict[str, Grants] = {}


class Started(msgspec.Struct, frozen=True):
    """A sign-on on its way: where the browser goes, and what it keeps in a cookie until it comes back."""

    location: str
    cookie: str


class _Pending(msgspec.Struct, frozen=True):
    state: str
    nonce: str
    verifier: str
    started_ns: int


class Person(msgspec.Struct, frozen=True):
    """Whom the provider vouches for. `subject` is issuer and subject: names may change hands, it does not."""

    subject: str
    name: str
    grants: Grants


class SignOn:
    """One provider. Safe to use from several threads.

    Args:
        policy: the provider.
        clock: the time.
        client: makes HTTP clients, so that tests can bring their own.
    """

    def __init__(self, policy: SignOnPolicy, clock: Clock, client: Callable[..., Any] = OAuth2Client) -> None:
        self.policy = policy
        self._clock = clock
        self._client = client
        self._known: tuple[int, dict[str, Any], KeySet] | None = None
        self._lock = Lock()

    def begin(self) -> Started:
        """Sends the browser to the provider.

        Raises:
            UnavailableError: the provider does not answer.
        """
        described, _ = self._provider()
        pending = _Pending(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), self._clock.now_ns())
        with self._session() as session:
            location, _ = session.create_authorization_url(
                described["authorization_endpoint"], state=pending.state, nonce=pending.nonce, code_verifier=pending.verifier
            )
        return Started(str(location), msgspec.json.encode(pending).hex())

    def finish(self, cookie: str, state: str, code: str) -> Person:
        """Whom the provider sent back.

        Args:
            cookie: what `begin` gave this browser.
            state: as the provider repeats it.
            code: for the provider's token.

        Raises:
            NotSignedInError: it is not the answer to what this browser began, or the token is not good.
            UnavailableError: the provider does not answer.
        """
        pending = self._pending(cookie)
        if not hmac.compare_digest(pending.state.encode(), state.encode()) or not code:
            raise NotSignedInError("this is not the answer to a sign-on of this browser: begin again")
        described, keys = self._provider()
        try:
            with self._session() as session:
                answer = session.fetch_token(described["token_endpoint"], code=code, code_verifier=pending.verifier)
        except UNREACHABLE as error:
            raise UnavailableError(f"the sign-on provider does not answer: {type(error).__name__}") from error
        except AuthlibBaseError as error:
            raise NotSignedInError("the sign-on provider refused: begin again") from error
        claims = self._claims(str(answer.get("id_token", "")), keys)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), pending.nonce.encode()):
            raise NotSignedInError("the provider's token is not for this sign-on: begin again")
        return self._person(claims)

    def _claims(self, token: str, keys: KeySet) -> dict[str, Any]:
        now = self._clock.now_ns() // NS_PER_S
        wanted = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.policy.issuer},
            aud={"essential": True, "value": self.policy.client_id},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            decoded = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
            wanted.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise NotSignedInError("the provider's token is not good: begin again") from error
        return dict(decoded.claims)

    def _person(self, claims: dict[str, Any]) -> Person:
        groups = claims.get(self.policy.groups_claim, ())
        grants: Grants = {}
        for group in groups if isinstance(groups, Sequence) and not isinstance(groups, str) else (groups,):
            for application, role in self.policy.groups.get(str(group), {}).items():
                grants[application] = max(grants.get(application, role), role, key=lambda held: Role(held).rank)
        name = str(claims.get("preferred_username") or claims.get("email") or claims["sub"])
        return Person(f"{self.policy.issuer} {claims['sub']}", name, grants)

    def _pending(self, cookie: str) -> _Pending:
        try:
            pending = msgspec.json.decode(bytes.fromhex(cookie), type=_Pending)
        except (ValueError, msgspec.MsgspecError):
            raise NotSignedInError("this browser has begun no sign-on: begin again") from None
        if not 0 <= self._clock.now_ns() - pending.started_ns <= PATIENCE_NS:
            raise NotSignedInError("the sign-on took longer than ten minutes: begin again")
        return pending

    def _session(self) -> Any:
        policy = self.policy
        return self._client(
            client_id=policy.client_id,
            client_secret=policy.client_secret,
            redirect_uri=policy.redirect_uri,
            scope="openid profile email",
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
        )

    def _provider(self) -> tuple[dict[str, Any], KeySet]:
        with self._lock:
            known, now = self._known, self._clock.now_ns()
            if known is None or now - known[0] > KEPT_NS:
                known = self._known = (now, *self._discovered())
        return known[1], known[2]

    def _discovered(self) -> tuple[dict[str, Any], KeySet]:
        address = f"{self.policy.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            with self._session() as session:
                described = session.request("GET", address, withhold_token=True).raise_for_status().json()
                if described["issuer"] != self.policy.issuer:
                    raise UnavailableError("the sign-on provider says that it is another issuer than access.oidc.issuer")
                keys = session.request("GET", described["jwks_uri"], withhold_token=True).raise_for_status().json()
            return described, KeySet.import_key_set(keys)
        except UNUSABLE as error:
            raise UnavailableError(f"the sign-on provider cannot be used: {type(error).__name__}") from error
