"""`Role`, `Scope` and `Identity`: who asks, and what they may do on which application."""

import re
from enum import StrEnum

import msgspec

from holdfast.core.errors import HoldfastError, InputError

EVERYWHERE = "*"
"""A grant on all applications, those that come later included, and on the installation itself."""


class Role(StrEnum):
    """What a person or a token may do; each includes the ones before it."""

    VIEWER = "viewer"
    """Reads everything that is redacted."""
    RESPONDER = "responder"
    """Works on incidents, labels calls."""
    APPROVER = "approver"
    """Applies and approves containments, sees originals where an application seals them."""
    ADMIN = "admin"
    """Manages users, tokens and the desired state."""

    @property
    def rank(self) -> int:
        """Position in the order, from 0."""
        return _ORDER[self]

    def includes(self, other: "Role") -> bool:
        """Whether this role may do what `other` may."""
        return self.rank >= other.rank


_ORDER = {role: position for position, role in enumerate(Role)}

Grants = dict[str, Role]
"""Application, or `EVERYWHERE`, → role."""


class NotSignedInError(HoldfastError):
    """The request says nobody, or nobody that is known."""


class ForbiddenError(HoldfastError):
    """Who asks is known, and may not do this."""


BY_NAME_ONLY = frozenset({"reveals"})
"""Areas of the API that no token has through `*`."""


class Scope(msgspec.Struct, frozen=True):
    """What a token is limited to: reading or writing (which includes reading) of one area of the API, or of all (`*`).

    An area is the first part of the path behind ``/api/v1/``, such as ``incidents`` or ``control``. `*` leaves out what must be
    named: ``reveals``.
    """

    access: str
    area: str

    def __str__(self) -> str:
        """Such as ``read:incidents``."""
        return f"{self.access}:{self.area}"

    def allows(self, writing: bool, area: str) -> bool:
        """Whether a request of this kind is within it."""
        covered = self.area == area or (self.area == EVERYWHERE and area not in BY_NAME_ONLY)
        return covered and (self.access == "write" or not writing)


_SCOPE = re.compile(r"(read|write):(\*|[a-z][a-z0-9_-]{0,63})")


def parse_scope(text: str) -> Scope:
    """The scope that ``read:AREA``, ``write:AREA``, ``read:*`` or ``write:*`` names.

    Raises:
        InputError: it is none of these.
    """
    found = _SCOPE.fullmatch(text)
    if found is None:
        raise InputError(f"{text!r} is no scope: read:AREA or write:AREA, such as write:incidents or read:*", "scopes")
    return Scope(*found.groups())


def parse_grants(given: dict[str, str]) -> Grants:
    """Application → role, checked.

    Raises:
        InputError: a role is unknown, or an application's name is empty or over 256 characters.
    """
    for application in given:
        if not 0 < len(application) <= 256 or not application.isprintable():
            raise InputError(f"{application!r} is no application's name; `*` means all", "grants")
    unknown = sorted({role for role in given.values() if role not in set(Role)})
    if unknown:
        raise InputError(f"{unknown[0]!r} is no role: {', '.join(Role)}", "grants")
    return {application: Role(role) for application, role in given.items()}


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. `actor` is what the ledger notes: ``user:ada``, ``token:ci``, ``demo``; `address` where the request came from.

    `scopes` limit a token further; None means no limit. `session` is the id of a browser's session, empty otherwise.
    """

    actor: str
    grants: Grants
    address: str = ""
    scopes: tuple[Scope, ...] | None = None
    session: str = ""
    csrf: str = ""
    """What a form of this session must carry."""

    @property
    def name(self) -> str:
        """The actor without its kind, for people."""
        return self.actor.partition(":")[2] or self.actor

    def role(self, application: str = EVERYWHERE) -> Role | None:
        """The strongest role on an application, or on the installation; None where there is none."""
        held = [self.grants[key] for key in (application, EVERYWHERE) if key in self.grants]
        return max(held, key=lambda role: role.rank, default=None)

    def may(self, role: Role, application: str = EVERYWHERE) -> bool:
        """Whether this identity has at least `role` on `application`; by default: on the whole installation."""
        held = self.role(application)
        return held is not None and held.includes(role)

    def may_anywhere(self, role: Role) -> bool:
        """Whether there is any application on which this identity has at least `role`."""
        return any(held.includes(role) for held in self.grants.values())

    def must(self, role: Role, application: str = EVERYWHERE) -> None:
        """Refuses who has less than `role` on `application`.

        Raises:
            ForbiddenError: says which role is needed where.
        """
        if not self.may(role, application):
            where = "all applications" if application == EVERYWHERE else application
            raise ForbiddenError(f"this needs the role {role} on {where}: ask an administrator")

    def must_be_in_scope(self, writing: bool, area: str) -> None:
        """Refuses a token whose scopes do not cover this part of the API.

        Raises:
            ForbiddenError: says which scope is missing.
        """
        if self.scopes is not None and not any(scope.allows(writing, area) for scope in self.scopes):
            raise ForbiddenError(f"this token lacks the scope {'write' if writing else 'read'}:{area}")
