"""`Provider`: what an OpenID Connect provider says of itself, and its keys (OpenID Connect Discovery 1.0)."""

from collections.abc import Callable
from importlib import import_module
from threading import Lock
from typing import Any

import httpx
import msgspec
from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped] # it has no type hints
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from holdfast.core.clock import NS_PER_S, Clock
from holdfast.core.errors import UnavailableError

_CLIENT = next(base.__module__.partition(".")[0] for base in OAuth2Client.__mro__ if base.__module__.startswith("httpx"))
_ERRORS = import_module(_CLIENT)
UNREACHABLE: tuple[type[Exception], ...] = (httpx.HTTPError, httpx.InvalidURL, _ERRORS.HTTPError, _ERRORS.InvalidURL)
"""Authlib calls through httpx or its successor, whichever is installed; each has errors of its own."""
KEPT_NS = 3600 * NS_PER_S
PAUSE_NS = 15 * NS_PER_S
"""After a failure the provider is left alone for so long: whoever asks meanwhile is told of the failure at once."""
LONGEST_WAIT_S = 15.0
BASIC, POST = "client_secret_basic", "client_secret_post"


class Description(msgspec.Struct, frozen=True):
    """The part of a provider's description that a sign-on needs."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = (BASIC,)

    @property
    def secret_sent_by(self) -> str:
        """How we show our secret there: in the header, unless only the form is taken."""
        offered = self.token_endpoint_auth_methods_supported
        return POST if POST in offered and BASIC not in offered else BASIC


class Known(msgspec.Struct, frozen=True):
    """What was read, and when."""

    read_ns: int
    description: Description
    keys: KeySet


class Provider:
    """Reads description and keys when they are needed, and keeps them for an hour. Safe to use from several threads.

    Args:
        issuer: URL of the provider; its description must name this very issuer.
        session: makes an HTTP client with a time-out.
        clock: the time.
    """

    def __init__(self, issuer: str, session: Callable[[], Any], clock: Clock) -> None:
        self._issuer = issuer
        self._session = session
        self._clock = clock
        self._known: Known | None = None
        self._failed: tuple[int, str] | None = None
        self._lock = Lock()

    def known(self) -> Known:
        """Description and keys, at most an hour old.

        Raises:
            UnavailableError: the provider does not answer, or not as it should; or it did not a moment ago.
        """
        return self._at_most_old(KEPT_NS)

    def renewed(self) -> Known:
        """The same, read anew unless that was a moment ago: for a token signed by a key that is not known yet."""
        return self._at_most_old(PAUSE_NS)

    def _at_most_old(self, oldest_ns: int) -> Known:
        if not self._lock.acquire(timeout=LONGEST_WAIT_S):
            raise UnavailableError("the sign-on provider does not answer: others wait for it")
        try:
            now, known = self._clock.now_ns(), self._known
            if known is not None and now - known.read_ns <= oldest_ns:
                return known
            if self._failed is not None and now - self._failed[0] <= PAUSE_NS:
                raise UnavailableError(self._failed[1])
            return self._read(now)
        finally:
            self._lock.release()

    def _read(self, now: int) -> Known:
        try:
            self._known, self._failed = Known(now, *self._asked()), None
        except UnavailableError as error:
            self._failed = now, str(error)
            raise
        return self._known

    def _asked(self) -> tuple[Description, KeySet]:
        address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            with self._session() as session:
                described = msgspec.convert(_get(session, address), Description)
                if described.issuer != self._issuer:
                    raise UnavailableError("the sign-on provider says that it is another issuer than sign_on.issuer")
                if not described.authorization_endpoint.startswith(("https://", "http://")):
                    raise UnavailableError("the sign-on provider's authorization_endpoint is no web address")
                return described, KeySet.import_key_set(_get(session, described.jwks_uri))
        except UNREACHABLE as error:
            raise UnavailableError(f"the sign-on provider does not answer: {type(error).__name__}") from error
        except (JoseError, KeyError, TypeError, ValueError, msgspec.MsgspecError) as error:
            raise UnavailableError(f"the sign-on provider's description cannot be used: {type(error).__name__}") from error


def _get(session: Any, address: str) -> Any:
    return session.request("GET", address, withhold_token=True).raise_for_status().json()
