"""What an action is. One file an action: its arguments, its effect, its caps, and its words; undoing is ending its lease.

An action never edits the desired state. Its effect is laid over it while the lease lives, so that its inverse is the same for all
twelve and cannot go wrong: take the lease away, and what stands below is in force again, whatever came or went meanwhile.
"""

from typing import Any, Protocol

import msgspec

from holdfast.control.effects import Effect
from holdfast.control.snapshot import Snapshot

HOUR_S = 3_600.0


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what actions are given."""


class Caps(msgspec.Struct, frozen=True, kw_only=True):
    """How far automation may go with an action without a person. People are bound by the limits of leases only.

    `users` and `traffic` (share in [0, 1]) are sums over the automatic leases of this action that are live at a time; `share`
    in (0, 1] is the largest canary of one, `ttl_s` the longest life. All zero: never without a person. `confidence_low` is how
    surely the diagnosis that asks must be right, by its lower bound.
    """

    users: int = 0
    traffic: float = 0.0
    share: float = 1.0
    ttl_s: float = HOUR_S
    confidence_low: float = 0.85


class Action(Protocol):
    """One way to contain harm."""

    @property
    def name(self) -> str:
        """Imperative, such as ``disable_tool``."""
        ...

    @property
    def summary(self) -> str:
        """One line for people who choose."""
        ...

    @property
    def arguments(self) -> type[Arguments]:
        """What it must be told."""
        ...

    @property
    def caps(self) -> Caps:
        """How far automation may go with it."""
        ...

    @property
    def needs(self) -> tuple[str, ...]:
        """Dimensions that its scope must name."""
        ...

    def effect(self, arguments: Any, scope: dict[str, str], snapshot: Snapshot) -> Effect:
        """What the lease will do.

        Raises:
            InputError: the arguments make no sense here; names the argument.
        """
        ...

    def does(self, effect: Any) -> str:
        """What would happen to the requests in scope, in words: the dry run."""
        ...

    def before(self, effect: Any, scope: dict[str, str], snapshot: Snapshot) -> str:
        """What stands there now, in words: what undoing brings back, if nothing else changes."""
        ...
