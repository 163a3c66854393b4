"""`Access`: who asks, and the accounts, sessions and tokens by which that is known."""

import hashlib
import hmac
import secrets
import unicodedata
from threading import Lock
from typing import Any

import msgspec

from holdfast.access.audit import Act, Audited
from holdfast.access.passwords import Passwords
from holdfast.access.roles import EVERYWHERE, Grants, Identity, NotSignedInError, Role, Scope, parse_grants, parse_scope
from holdfast.access.throttle import Throttle
from holdfast.core.clock import NS_PER_S, Clock
from holdfast.core.errors import InputError, NotFoundError
from holdfast.core.ids import random_id
from holdfast.ledger.accounts import Accounts, Session, Token, User

TOKEN_PREFIX = "hf_"  # noqa: S105 - what stands before a secret, so that scanners of code find one that leaked
LOCAL = "token:local"
"""Actor of the token of this machine: who can read its file can read the keys beside it, so that nothing is kept from it."""
HOUR_NS = 3600 * NS_PER_S
SEEN_EVERY_NS = 60 * NS_PER_S
LONGEST_NAME = 64
LONGEST_TOKEN_S = 366 * 86_400


class AccessPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How long things last. A session ends `idle_ns` after its last request and `session_ns` after it began.

    `demo` lets everybody in as an administrator: for a demonstration on the loopback address only.
    """

    idle_ns: int = 12 * HOUR_NS
    session_ns: int = 7 * 24 * HOUR_NS
    setup_ns: int = HOUR_NS
    demo: bool = False


class NewToken(msgspec.Struct, frozen=True):
    """A token and its secret, which is shown once and kept nowhere."""

    token: Token
    secret: str


class TokenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a new token is to be: `lifetime_s` seconds from now, at most 366 days. No scopes means `write:*`."""

    name: str
    grants: dict[str, str]
    scopes: tuple[str, ...] = ()
    lifetime_s: int = 30 * 86_400


class Access:
    """Who asks, and who may change that. Safe to use from several threads.

    Args:
        accounts: the tables.
        clock: the time.
        policy: how long things last.
        fixed: secret → actor of tokens that the configuration gives; they are administrators, with the scope `write:*`, and
            the one of this machine (`LOCAL`) without limits.
        passwords: how passwords are hashed.
    """

    def __init__(
        self,
        accounts: Accounts,
        clock: Clock,
        policy: AccessPolicy | None = None,
        fixed: dict[str, str] | None = None,
        passwords: Passwords | None = None,
    ) -> None:
        self.accounts = accounts
        self.policy = policy or AccessPolicy()
        self.throttle = Throttle(clock)
        self._clock = clock
        self._passwords = passwords or Passwords()
        self._fixed = {digest(secret): actor for secret, actor in (fixed or {}).items() if secret}
        self._setup: tuple[str, int] | None = None
        self._lock = Lock()

    # Set-up

    def needs_setup(self) -> bool:
        """Whether there is no account yet."""
        return not self.accounts.users()

    def open_setup(self) -> str:
        """A secret with which an administrator's account can be made, once, within an hour. Empty when there is one.

        Accounts that single sign-on made do not close it: where none of the groups stands for an administrator, it is the way
        to the first one.
        """
        if self.policy.demo or self.accounts.has_administrator():
            return ""
        secret = secrets.token_urlsafe(24)
        with self._lock:
            self._setup = digest(secret), self._clock.now_ns() + self.policy.setup_ns
        return secret

    def setup_is_open(self, secret: str) -> bool:
        """Whether `secret` may still make the first administrator."""
        with self._lock:
            known = self._setup
        return bool(
            known
            and hmac.compare_digest(digest(secret), known[0])
            and self._clock.now_ns() < known[1]
            and not self.accounts.has_administrator()
        )

    def set_up(self, secret: str, name: str, password: str, address: str) -> str:
        """Makes the first administrator's account, and signs it in.

        Raises:
            NotSignedInError: the secret is wrong, used or too old.
            InputError: name or password will not do.
            ConflictError: somebody was faster.
        """
        if not self.setup_is_open(secret):
            raise NotSignedInError("this set-up link is used up or too old: restart the server for a new one")
        user = self._new_user(name, password, {EVERYWHERE: Role.ADMIN})
        noted = self._noted(f"user:{user.name}", Act.USER_ADDED, address, user.name, after={"grants": user.grants})
        self.accounts.add_user(user, noted, first=True)
        with self._lock:
            self._setup = None
        return self._begin(user, address, "set-up link")

    # Sessions

    def log_in(self, name: str, password: str, address: str) -> str:
        """Signs in with a password; returns the cookie's value.

        Raises:
            BackpressureError: too many failures before; says how long to wait.
            NotSignedInError: name or password is wrong, or the account is disabled: not told apart.
        """
        account = _folded(name)
        self.throttle.check(account, address)
        user = self.accounts.user(account)
        if not self._passwords.matches(user.password if user else "", password) or user is None or user.disabled:
            if self.throttle.failed(account, address):
                self.accounts.note(self._noted("nobody", Act.LOGIN_THROTTLED, address, account if user else "unknown account"))
            raise NotSignedInError("name or password is wrong")
        self.throttle.succeeded(account)
        return self._begin(user, address, "password")

    def log_in_subject(self, subject: str, name: str, grants: Grants, address: str) -> str:
        """Signs in whom single sign-on vouches for; the account is made, or its grants brought up to date, on the way.

        The provider decides on the grants, even where it takes away those of the last administrator: the server's next start
        then opens the set-up again.

        Raises:
            NotSignedInError: no grants, or the account is disabled.
            ConflictError: another account has this name.
            InputError: nothing of the name can be used.
        """
        if not grants:
            raise NotSignedInError("single sign-on knows you, but none of your groups has a role here: ask an administrator")
        wanted: dict[str, str] = {application: role.value for application, role in grants.items()}
        user = self.accounts.user_of_subject(subject)
        if user is None:
            user = User(name=_checked_name(_plain(name)), subject=subject, grants=wanted, created_ns=self._clock.now_ns())
            self.accounts.add_user(user, self._noted("sign-on", Act.USER_ADDED, address, user.name, after={"grants": wanted}))
        elif user.disabled:
            raise NotSignedInError("this account is disabled")
        elif user.grants != wanted:
            before, user = user, msgspec.structs.replace(user, grants=wanted)
            self._change("sign-on", address, before, user, may_be_last=True)
        return self._begin(user, address, "single sign-on")

    def _begin(self, user: User, address: str, how: str) -> str:
        cookie, now = secrets.token_urlsafe(32), self._clock.now_ns()
        session = Session(
            sha256=digest(cookie),
            user=user.name,
            csrf=secrets.token_urlsafe(24),
            address=address,
            created_ns=now,
            seen_ns=now,
        )
        noted = self._noted(f"user:{user.name}", Act.SIGNED_IN, address, user.name, reason=how)
        self.accounts.add_session(session, noted, now - self.policy.idle_ns)
        return cookie

    def log_out(self, identity: Identity) -> None:
        """Ends the session of a browser; any other identity has none."""
        if identity.session:
            noted = self._noted(identity.actor, Act.SIGNED_OUT, identity.address, identity.name)
            self.accounts.end_session(identity.session, noted)

    # Who asks

    def of_cookie(self, cookie: str, address: str) -> Identity | None:
        """Who a browser's cookie stands for; None where it stands for nobody any more."""
        found = self.accounts.session_of(digest(cookie)) if cookie else None
        if found is None:
            return None
        session, user = found
        now = self._clock.now_ns()
        if user.disabled or now - session.seen_ns > self.policy.idle_ns or now - session.created_ns > self.policy.session_ns:
            return None
        if now - session.seen_ns > SEEN_EVERY_NS:
            self.accounts.see_session(session.sha256, now)
        return Identity(
            actor=f"user:{user.name}",
            grants=parse_grants(user.grants),
            address=address,
            session=session.sha256,
            csrf=session.csrf,
        )

    def of_secret(self, secret: str, address: str) -> Identity | None:
        """Whom a bearer token stands for; None for one that is unknown, expired or revoked."""
        given = digest(secret)
        for known, actor in self._fixed.items():
            if hmac.compare_digest(given, known):
                limits = None if actor == LOCAL else (Scope("write", EVERYWHERE),)
                return Identity(actor=actor, grants={EVERYWHERE: Role.ADMIN}, address=address, scopes=limits)
        token = self.accounts.token_of(given) if secret.startswith(TOKEN_PREFIX) else None
        if token is None or token.revoked_ns or token.expires_ns <= self._clock.now_ns():
            return None
        scopes = tuple(parse_scope(text) for text in token.scopes)
        return Identity(actor=f"token:{token.name}", grants=parse_grants(token.grants), address=address, scopes=scopes)

    def of_demo(self, address: str) -> Identity | None:
        """Everybody, in a demonstration."""
        return Identity(actor="demo", grants={EVERYWHERE: Role.ADMIN}, address=address) if self.policy.demo else None

    # Management, by administrators

    def add_user(self, by: Identity, name: str, password: str, grants: dict[str, str]) -> User:
        """Makes a local account.

        Raises:
            ForbiddenError: `by` is no administrator.
            InputError: name, password or grants will not do.
            ConflictError: the name is taken.
        """
        by.must(Role.ADMIN)
        user = self._new_user(name, password, parse_grants(grants))
        self.accounts.add_user(user, self._noted(by.actor, Act.USER_ADDED, by.address, user.name, after={"grants": user.grants}))
        return user

    def change_user(self, by: Identity, name: str, grants: dict[str, str], disabled: bool) -> User:
        """Sets roles, and lets an account in or not; ends its sessions.

        Raises:
            ForbiddenError: `by` is no administrator.
            NotFoundError: there is no such account.
            ConflictError: nobody would be left to manage users.
        """
        by.must(Role.ADMIN)
        before = self._existing(name)
        checked = {application: role.value for application, role in parse_grants(grants).items()}
        after = msgspec.structs.replace(before, grants=checked, disabled=disabled)
        self._change(by.actor, by.address, before, after)
        return after

    def set_password(self, by: Identity, name: str, password: str) -> None:
        """Sets a password: an administrator anybody's, everybody else their own.

        Raises:
            ForbiddenError: it is somebody else's.
            InputError: the password will not do, or the account signs in elsewhere.
        """
        if by.actor != f"user:{name}":
            by.must(Role.ADMIN)
        user = self._existing(name)
        if user.subject:
            raise InputError("this account signs in through single sign-on and has no password here", "name")
        changed = msgspec.structs.replace(user, password=self._passwords.hash(password))
        self.accounts.change_user(changed, self._noted(by.actor, Act.PASSWORD_CHANGED, by.address, name))

    def issue_token(self, by: Identity, order: TokenOrder) -> NewToken:
        """Makes a token.

        Raises:
            ForbiddenError: `by` is no administrator.
            InputError: name, grants, scopes or lifetime will not do.
        """
        by.must(Role.ADMIN)
        if not 60 <= order.lifetime_s <= LONGEST_TOKEN_S:
            raise InputError(f"must be from 60 to {LONGEST_TOKEN_S} s, not {order.lifetime_s}", "lifetime_s")
        secret, now = TOKEN_PREFIX + secrets.token_urlsafe(32), self._clock.now_ns()
        token = Token(
            id=random_id("tok"),
            name=_checked_name(order.name),
            sha256=digest(secret),
            grants={application: role.value for application, role in parse_grants(order.grants).items()},
            scopes=tuple(str(parse_scope(text)) for text in order.scopes or ("write:*",)),
            created_by=by.actor,
            created_ns=now,
            expires_ns=now + order.lifetime_s * NS_PER_S,
        )
        after = {"name": token.name, "grants": token.grants, "scopes": token.scopes, "expires_ns": token.expires_ns}
        self.accounts.add_token(token, self._noted(by.actor, Act.TOKEN_ISSUED, by.address, token.id, after=after))
        return NewToken(token, secret)

    def revoke_token(self, by: Identity, token_id: str) -> None:
        """Ends a token at once.

        Raises:
            ForbiddenError: `by` is no administrator.
            NotFoundError: there is no such token, or it is revoked already.
        """
        by.must(Role.ADMIN)
        noted = self._noted(by.actor, Act.TOKEN_REVOKED, by.address, token_id)
        self.accounts.revoke_token(token_id, self._clock.now_ns(), noted)

    def note(self, by: Identity, audited: Audited) -> None:
        """Writes an act that changes no account, such as an export, into the chain."""
        self.accounts.note(audited.event(self._clock.now_ns(), by.actor))

    def _existing(self, name: str) -> User:
        user = self.accounts.user(name)
        if user is None:
            raise NotFoundError(f"no user {name!r}")
        return user

    def _new_user(self, name: str, password: str, grants: Grants) -> User:
        held: dict[str, str] = {application: role.value for application, role in grants.items()}
        hashed = self._passwords.hash(password)
        return User(name=_checked_name(name), password=hashed, grants=held, created_ns=self._clock.now_ns())

    def _change(self, actor: str, address: str, before: User, after: User, may_be_last: bool = False) -> None:
        told = [{"grants": user.grants, "disabled": user.disabled} for user in (before, after)]
        noted = self._noted(actor, Act.USER_CHANGED, address, after.name, before=told[0], after=told[1])
        self.accounts.change_user(after, noted, may_be_last)

    def _noted(self, actor: str, act: Act, address: str, target: str, **told: Any) -> Any:
        return Audited(type=act, address=address, target=target, **told).event(self._clock.now_ns(), actor)


def digest(secret: str) -> str:
    """SHA-256 in hex: enough for secrets of 192 bits and more that nobody can guess."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()[:LONGEST_NAME]


def _plain(name: str) -> str:
    """The name that a provider gives, which may have blanks and more, as a name of ours; two persons' may become the same."""
    return "".join(c if c.isalnum() or c in "._-@" else "-" for c in _folded(name)).strip("-")


def _checked_name(name: str) -> str:
    folded = _folded(name)
    if not folded or not all(c.isalnum() or c in "._-@" for c in folded) or len(name.strip()) > LONGEST_NAME:
        raise InputError(f"a name has 1 to {LONGEST_NAME} letters, digits, dots, dashes, underscores or @", "name")
    return folded
