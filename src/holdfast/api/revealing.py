"""`Revealing`: who may see an original, why, and that the ledger knows of it first."""

import msgspec

from holdfast.access.access import Access
from holdfast.access.audit import Act, Audited
from holdfast.access.roles import Identity, Role
from holdfast.api.rate import RateLimit, RatePolicy
from holdfast.context.entities import PERSONAL, Pseudonym
from holdfast.context.find import find
from holdfast.core.clock import Clock
from holdfast.core.errors import InputError, NotFoundError
from holdfast.vault.store import Revealed, Vault

FEWEST_WORDS = 3
LONGEST_REASON = 1_000
REVEALS = RatePolicy(per_s=1 / 60, burst=20, write_cost=1)
"""Twenty at once, then one a minute: enough to help people, too slow to take the vault away."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for and why: the original of `pseudonym` in `application`."""

    application: str
    pseudonym: str
    reason: str


class Revealing:
    """Reveals and erases originals, for those who may. Safe to use from several threads.

    Args:
        vault: where the originals are.
        access: what notes acts in the ledger.
        clock: the time.
        policy: how many reveals one user or token may ask for.
    """

    def __init__(self, vault: Vault, access: Access, clock: Clock, policy: RatePolicy = REVEALS) -> None:
        self.vault = vault
        self._access = access
        self._rate = RateLimit(clock, policy)

    def reveal(self, who: Identity, order: Order) -> Revealed:
        """The original. The ledger has the act, without the value, before this returns; when it refuses, so does this.

        Raises:
            NotFoundError: the application is not one that `who` may see, or the vault does not have it; says why that may be.
            ForbiddenError: this needs the role approver on the application.
            InputError: the pseudonym is none, or the reason will not do.
            BackpressureError: too many reveals; says when the next one may be.
            UnopenedError: what the vault has does not open.
            StoreError: vault or ledger cannot be used.
        """
        pseudonym = self._checked(who, order, Role.APPROVER)
        self._rate.take(who.actor, writing=True)
        found = self.vault.reveal(order.application, pseudonym)
        self._note(who, Act.ORIGINAL_REVEALED, order, pseudonym, len(found.values))
        return found

    def erase(self, who: Identity, order: Order) -> int:
        """Deletes the original for good, and returns how many values that were: what somebody asked for whose data it is.

        Raises:
            NotFoundError, InputError, StoreError: as `reveal`.
            ForbiddenError: this needs the role admin on the application.
        """
        pseudonym = self._checked(who, order, Role.ADMIN)
        return self.vault.erase(
            order.application,
            pseudonym,
            lambda count: self._note(who, Act.ORIGINAL_ERASED, order, pseudonym, count),
        )

    def known(self, who: Identity, application: str, pseudonyms: list[Pseudonym]) -> frozenset[Pseudonym]:
        """Those of `pseudonyms` whose originals `who` may ask for."""
        return self.vault.known(application, pseudonyms) if who.may(Role.APPROVER, application) else frozenset()

    def _checked(self, who: Identity, order: Order, role: Role) -> Pseudonym:
        if not who.may(Role.VIEWER, order.application):
            raise NotFoundError(f"no application {order.application!r}")
        who.must(role, order.application)
        check_reason(order.reason)
        return Pseudonym.parse(order.pseudonym)

    def _note(self, who: Identity, act: Act, order: Order, pseudonym: Pseudonym, count: int) -> None:
        audited = Audited(
            type=act,
            address=who.address,
            target=str(pseudonym),
            application=order.application,
            after={"entity": pseudonym.entity.value, "values": count},
            reason=order.reason.strip(),
        )
        self._access.note(who, audited)


def check_reason(reason: str) -> None:
    """Refuses a reason that says too little, or that would put into the ledger for ever what the vault forgets.

    Raises:
        InputError: it has fewer than three words or over 1,000 characters, or holds personal data.
    """
    if len(reason) > LONGEST_REASON or len(reason.split()) < FEWEST_WORDS or not reason.isprintable():
        raise InputError(
            f"say in {FEWEST_WORDS} words or more, on one line of at most {LONGEST_REASON} characters, why", "reason"
        )
    if named := next((f.entity for f in find(reason) if f.entity in PERSONAL), None):
        raise InputError(f"holds an {named}: the ledger keeps it for ever; name people by their pseudonym", "reason")
