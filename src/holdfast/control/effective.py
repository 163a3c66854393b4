"""What the live leases make of one request: which of them match, and what they come to together.

The gateway asks on every request, so a snapshot is compiled once: each lease stands under its rarest condition, and what a set of
leases comes to is worked out once and remembered.

Composition, in the order in which the leases were granted:

- `Block` and `Refuse`: any of them holds; a block is told rather than a refusal.
- `UseTemplate`, `UseModel`, `ShiftTraffic`, and `UsePrompt` per prompt, `PinParameters` per parameter: the last one holds.
- `EnforceGuards`: all of them; the lowest threshold of each guard, where a lease without one means the guard's own.
- `DisableTool`, `QuarantineSource`, `OpenBreaker`: all of them.
- `Throttle`: the lowest rate.

It depends on the set of leases alone, never on how it came about: leases that end in any order leave what the others say.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import singledispatch
from hashlib import blake2b
from typing import Any

import msgspec

from holdfast.control.effects import (
    Block,
    DisableTool,
    EnforceGuards,
    OpenBreaker,
    PinParameters,
    QuarantineSource,
    Refuse,
    ShiftTraffic,
    Throttle,
    UseModel,
    UsePrompt,
    UseTemplate,
)
from holdfast.control.snapshot import Lease, Snapshot

MAX_REMEMBERED = 1_024
"""Sets of leases whose effect is remembered at a time."""


class Effective(msgspec.Struct, kw_only=True):
    """What the matching leases come to. Shared between requests: read it only.

    `leases`: those that match, in order of grant. `target`, `template`: empty where no lease says so. `guards`: threshold by name
    of guards to enforce. `prompts`: version by prompt. `weights` and `requests_per_s`: None where nothing is said. `opened`:
    targets that may not be used, with the judge whose probes close them.
    """

    leases: tuple[Lease, ...] = ()
    block: Block | None = None
    refuse: Refuse | None = None
    template: str = ""
    target: str = ""
    weights: dict[str, float] | None = None
    guards: dict[str, float] = {}
    prompts: dict[str, str] = {}
    parameters: dict[str, Any] = {}
    disabled_tools: frozenset[str] = frozenset()
    quarantined_sources: frozenset[str] = frozenset()
    opened: dict[str, str] = {}
    requests_per_s: float | None = None


NOTHING = Effective()
"""No lease matches."""


class Matcher:
    """The leases of a snapshot, compiled. Made once per snapshot, safe for threads.

    Args:
        snapshot: whose leases; a lease with an empty scope matches nothing.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._leases = snapshot.leases
        self._thresholds = {guard.name: guard.threshold for guard in snapshot.desired.guards}
        self._index = _indexed(snapshot.leases)
        self._remembered: dict[tuple[int, ...], Effective] = {}

    def match(self, dimensions: Mapping[str, tuple[str, ...]], now_ns: int, unit: str = "") -> Effective:
        """What the leases that match say together.

        Args:
            dimensions: name to values, as in `core.call`; a lease matches when each of its conditions has its value among them.
            now_ns: leases that have expired by then are gone.
            unit: whom a canary's share is drawn by, such as the user; empty matches leases with a share of 1 only.
        """
        found: set[int] | None = None
        hashed = 0
        for dimension, by_value in self._index:
            for value in dimensions.get(dimension, ()):
                for at, expires_ns, rest, share, salt in by_value.get(value, ()):
                    if expires_ns <= now_ns or not all(v in dimensions.get(d, ()) for d, v in rest):
                        continue
                    if share < 1.0:
                        hashed = hashed or (_hash(unit) if unit else 0)
                        if not hashed or _mixed(salt, hashed) >= share:
                            continue
                    if found is None:
                        found = {at}
                    else:
                        found.add(at)
        return NOTHING if found is None else self._together(tuple(sorted(found)))

    def _together(self, found: tuple[int, ...]) -> Effective:
        known = self._remembered.get(found)
        if known is None:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered = {}
            known = self._remembered[found] = compose((self._leases[at] for at in found), self._thresholds)
        return known


def drawn(lease_id: str, unit: str) -> float:
    """A number in [0, 1) that is always the same for a lease and a unit: those below the share are in the canary."""
    return _mixed(_hash(lease_id), _hash(unit))


_MASK = 2**64 - 1


def _hash(text: str) -> int:
    """64 bits, never 0."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()) | 1


def _mixed(salt: int, hashed: int) -> float:
    """The finalizer of SplitMix64 (Steele, Lea and Flood 2014) over both, in [0, 1): a request hashes its user once."""
    mixed = ((salt ^ hashed) ^ (salt ^ hashed) >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
    return (mixed >> 11) / 2**53


def compose(leases: Iterable[Lease], thresholds: Mapping[str, float]) -> Effective:
    """What these leases come to, by the rules of this module.

    Args:
        leases: in any order.
        thresholds: each guard's own threshold, by name.
    """
    together = Effective(leases=tuple(sorted(leases, key=lambda lease: lease.sequence)))
    for lease in together.leases:
        _lay_over(lease.effect, together, thresholds)
    return together


def agrees(lease: Lease, dimensions: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the scope of a lease matches, whatever its share and expiry."""
    return bool(lease.scope) and all(value in dimensions.get(name, ()) for name, value in lease.scope.items())


_Entry = tuple[int, int, tuple[tuple[str, str], ...], float, int]


def _indexed(leases: tuple[Lease, ...]) -> tuple[tuple[str, dict[str, tuple[_Entry, ...]]], ...]:
    count = Counter(condition for lease in leases for condition in lease.scope.items())
    index: dict[str, dict[str, tuple[_Entry, ...]]] = {}
    for at, lease in enumerate(leases):
        if not lease.scope:
            continue
        key = min(lease.scope.items(), key=lambda condition: (count[condition], condition))
        rest = tuple(condition for condition in lease.scope.items() if condition != key)
        by_value = index.setdefault(key[0], {})
        by_value[key[1]] = (*by_value.get(key[1], ()), (at, lease.expires_ns, rest, lease.share, _hash(lease.id)))
    return tuple(index.items())


@singledispatch
def _lay_over(effect: object, on: Effective, thresholds: Mapping[str, float]) -> None:
    raise TypeError(f"unknown effect {type(effect).__name__}")


@_lay_over.register
def _(effect: UseModel, on: Effective, thresholds: Mapping[str, float]) -> None:
    on.target = effect.target


@_lay_over.register
def _(effect: UseTemplate, on: Effective, thresholds: Mapping[str, float]) -> None:
    on.template = effect.template


@_lay_over.register
def _(effect: EnforceGuards, on: Effective, thresholds: Mapping[str, float]) -> None:
    for name in effect.guards:
        wanted = thresholds.get(name, 0.5) if effect.threshold is None else effect.threshold
        on.guards = {**on.guards, name: min(wanted, on.guards.get(name, wanted))}


@_lay_over.register
def _(effect: UsePrompt, on: Effective, thresholds: Mapping[str, float]) -> None:
    on.prompts = {**on.prompts, effect.prompt: effect.version}


@_lay_over.register
def _(effect: PinParameters, on: Effective, thresholds: Mapping[str, float]) -> None:
    on.parameters = {**on.parameters, **effect.parameters}


@_lay_over.register
def _(effect: DisableTool, on: Effective, thresholds: Mapping[str, float]) -> None:
    on.disabled_tools |= {effect.tool}


@_lay_over.register
def _(effect: QuarantineSource, on: Effective, thresholds: Mapping[str, float]) -> None:
    on.quarantined_sources |= {effect.source}


@_lay_over.register
def _(effect: Throttle, on: Effective, thresholds: Mapping[str, float]) -> None:
    known = on.requests_per_s
    on.requests_per_s = effect.requests_per_s if known is None else min(known, effect.requests_per_s)


@_lay_over.register
def _(effect: Block, on: Effective, thresholds: Mapping[str, float]) -> None:
    on.block = on.block or effect


@_lay_over.register
def _(effect: OpenBreaker, on: Effective, thresholds: Mapping[str, float]) -> None:
    on.opened = {**on.opened, effect.target: effect.judge}


@_lay_over.register
def _(effect: ShiftTraffic, on: Effective, thresholds: Mapping[str, float]) -> None:
    on.weights = effect.weights


@_lay_over.register
def _(effect: Refuse, on: Effective, thresholds: Mapping[str, float]) -> None:
    on.refuse = effect
