"""Single sign-on: OpenID Connect's authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636)."""

import hmac
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

import msgspec
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped] # it has no type hints
from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped] # it has no type hints
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError

from holdfast.access.provider import BASIC, UNREACHABLE, Provider
from holdfast.access.roles import Grants, NotSignedInError, Role
from holdfast.core.clock import NS_PER_S, Clock
from holdfast.core.errors import UnavailableError

ALGORITHMS = ("RS256", "ES256", "PS256")
"""Signatures that are taken: never `none`, and never one with a shared key."""
SIGN_ON_BACK = "/login/oidc/callback"
"""Path to which the provider sends browsers back."""
LEEWAY_S = 60
TIMEOUT_S = 5.0
PATIENCE_NS = 600 * NS_PER_S
MOST_AT_ONCE = 8
"""Tokens that are asked for at once: a provider that hangs must not hold every thread of the server."""
UNUSABLE: tuple[type[Exception], ...] = (*UNREACHABLE, ValueError, AttributeError)
"""No answer, or one that is no JSON object."""
LONGEST_PLACE = 1_000
"""Bytes of an address that is kept in a cookie, in hex, which browsers limit to 4 KiB."""


class SignOnPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A provider, and who of its people may do what.

    `groups` maps a value of the claim `groups_claim` to roles by application; the claim may be inside of others, as in
    ``realm_access.roles``. `redirect_uri` is ours, as registered there; `label` is what people call the provider.
    """

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    label: str = "single sign-on"
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
    wanted: str


class Person(msgspec.Struct, frozen=True):
    """Whom the provider vouches for. `subject` is issuer and subject: names may change hands, it does not.

    `wanted` is the page that the browser was on its way to when it began, as it said itself.
    """

    subject: str
    name: str
    grants: Grants
    wanted: str = "/"


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
        self._provider = Provider(policy.issuer, self._session, clock)
        self._slots = BoundedSemaphore(MOST_AT_ONCE)

    def begin(self, wanted: str = "/") -> Started:
        """Sends the browser to the provider, on its way to the page `wanted`.

        Raises:
            UnavailableError: the provider does not answer.
        """
        known = self._provider.known()
        state, nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        pending = _Pending(state, nonce, verifier, self._clock.now_ns(), wanted if len(wanted.encode()) <= LONGEST_PLACE else "/")
        with self._session() as session:
            location, _ = session.create_authorization_url(
                known.description.authorization_endpoint, state=state, nonce=nonce, code_verifier=verifier
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
        claims = self._claims(self._token(code, pending.verifier))
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), pending.nonce.encode()):
            raise NotSignedInError("the provider's token is not for this sign-on: begin again")
        return self._person(claims, pending.wanted)

    def _token(self, code: str, verifier: str) -> str:
        described = self._provider.known().description
        try:
            with self._slot(), self._session(described.secret_sent_by) as session:
                answer = session.fetch_token(described.token_endpoint, code=code, code_verifier=verifier)
            return str(answer.get("id_token", ""))
        except AuthlibBaseError as error:
            raise NotSignedInError("the sign-on provider refused: begin again") from error
        except UNUSABLE as error:
            raise UnavailableError(f"the sign-on provider does not answer: {type(error).__name__}") from error

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=TIMEOUT_S):
            raise UnavailableError("the sign-on provider does not answer: too many wait for it")
        try:
            yield
        finally:
            self._slots.release()

    def _claims(self, token: str) -> dict[str, Any]:
        now = self._clock.now_ns() // NS_PER_S
        wanted = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.policy.issuer},
            aud={"essential": True, "value": self.policy.client_id},
            azp={"value": self.policy.client_id},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            decoded = self._decoded(token)
            wanted.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise NotSignedInError("the provider's token is not good: begin again") from error
        return dict(decoded.claims)

    def _decoded(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, self._provider.known().keys, algorithms=list(ALGORITHMS))
        except InvalidKeyIdError:
            # Providers change their keys whenever they like.
            return jwt.decode(token, self._provider.renewed().keys, algorithms=list(ALGORITHMS))

    def _person(self, claims: dict[str, Any], wanted: str) -> Person:
        groups = _claimed(claims, self.policy.groups_claim)
        grants: Grants = {}
        for group in groups if isinstance(groups, Sequence) and not isinstance(groups, str) else (groups,):
            for application, role in self.policy.groups.get(str(group), {}).items():
                grants[application] = max(grants.get(application, role), role, key=lambda held: Role(held).rank)
        name = str(claims.get("preferred_username") or claims.get("email") or claims["sub"])
        return Person(f"{self.policy.issuer} {claims['sub']}", name, grants, wanted)

    def _pending(self, cookie: str) -> _Pending:
        try:
            pending = msgspec.json.decode(bytes.fromhex(cookie), type=_Pending)
        except (ValueError, msgspec.MsgspecError):
            raise NotSignedInError("this browser has begun no sign-on: begin again") from None
        if not 0 <= self._clock.now_ns() - pending.started_ns <= PATIENCE_NS:
            raise NotSignedInError("the sign-on took longer than ten minutes: begin again")
        return pending

    def _session(self, secret_sent_by: str = BASIC) -> Any:
        policy = self.policy
        return self._client(
            client_id=policy.client_id,
            client_secret=policy.client_secret,
            redirect_uri=policy.redirect_uri,
            scope="openid profile email",
            code_challenge_method="S256",
            token_endpoint_auth_method=secret_sent_by,
            timeout=TIMEOUT_S,
        )


def _claimed(claims: dict[str, Any], name: str) -> Any:
    """The claim of this name, or the one inside of others that it is the path of."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part, ()) if isinstance(found, dict) else ()
    return found
