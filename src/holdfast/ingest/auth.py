"""Ingest tokens: which application may send, and for which services.

A token names an application. What arrives with it must be of one of the token's services: an item of another service is
rejected by name, and one that names no service is given to the application. So nobody can write into the figures of
somebody else, and nothing is relabelled against what it says itself.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping, Sequence

import msgspec

from holdfast.core.call import Call
from holdfast.core.errors import ConfigurationError, HoldfastError
from holdfast.ingest.record import Decoded, Record, Rejected

UNNAMED = "unknown_service"
"""OpenTelemetry's word for a service without a name; SDKs append ``:python`` and the like."""
SHA256_DIGITS = 64


class UnauthenticatedError(HoldfastError):
    """The token or signature is missing or wrong."""


class IngestToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token as it is configured: never the token itself, only its SHA-256 in lower-case hex.

    `services` are the values of `service.name` that it may send; empty means the application's own name only.
    """

    application: str
    sha256: str
    services: tuple[str, ...] = ()

    @property
    def allowed(self) -> tuple[str, ...]:
        """Values of `service.name` that this token may send."""
        return self.services or (self.application,)


def token_hash(token: str) -> str:
    """What to configure for `token`."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class TokenTable:
    """All tokens of a receiver. Without any, everybody may send everything, which is for loopback only.

    Raises:
        ConfigurationError: a hash is no SHA-256 in hex, or an application is unnamed.
    """

    def __init__(self, tokens: Sequence[IngestToken] = ()) -> None:
        for token in tokens:
            if not token.application:
                raise ConfigurationError("ingest token without an application")
            if len(token.sha256) != SHA256_DIGITS or set(token.sha256) - set("0123456789abcdef"):
                raise ConfigurationError(
                    f"ingest token of {token.application}: sha256 must be {SHA256_DIGITS} lower-case hex digits"
                )
        self._tokens = tuple(tokens)

    @property
    def required(self) -> bool:
        """Whether senders must show a token."""
        return bool(self._tokens)

    def identify(self, headers: Mapping[str, str]) -> IngestToken | None:
        """Whose request this is, by ``authorization: Bearer …`` or ``x-holdfast-token``; None where no token is required.

        `headers` have lower-case names. Every token is compared, in constant time, whichever matches.

        Raises:
            UnauthenticatedError: no token, or none of ours.
        """
        if not self._tokens:
            return None
        shown = _shown(headers)
        if not shown:
            raise UnauthenticatedError("an ingest token is required: authorization: Bearer TOKEN, or x-holdfast-token: TOKEN")
        digest = token_hash(shown)
        found = [token for token in self._tokens if hmac.compare_digest(token.sha256, digest)]
        if not found:
            raise UnauthenticatedError("this ingest token is not known")
        return found[0]


def _shown(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else headers.get("x-holdfast-token", "").strip()


def restrict(decoded: Decoded, token: IngestToken | None) -> Decoded:
    """`decoded` with only what `token` may send. Items without a service are given to its application."""
    if token is None:
        return decoded
    kept: list[Record] = []
    rejected = list(decoded.rejected)
    for record in decoded.records:
        service = record.service
        if not service or service.split(":")[0] == UNNAMED:
            kept.append(_with_service(record, token.application))
        elif service in token.allowed:
            kept.append(record)
        else:
            rejected.append(Rejected(f"service.name {service}", f"the token is for {', '.join(token.allowed)}"))
    originals = tuple(original for original in decoded.originals if original.application in token.allowed)
    return Decoded(tuple(kept), tuple(rejected), originals, decoded.unsealed)


def _with_service(record: Record, service: str) -> Record:
    if isinstance(record, Call):
        return msgspec.structs.replace(record, dimensions={**record.dimensions, "service.name": (service,)})
    return msgspec.structs.replace(record, service=service)


def require_tokens_unless_loopback(hosts: Sequence[str], tokens: TokenTable) -> None:
    """Refuse to listen where others can reach it without asking who they are.

    Raises:
        ConfigurationError: a host is not loopback, and there is no token.
    """
    for host in hosts:
        if not is_loopback(host) and not tokens.required:
            raise ConfigurationError(f"host {host} is reachable from elsewhere: configure an ingest token for each application")


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine only. A name other than ``localhost`` is taken as reachable from elsewhere."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
