"""The difference between two snapshots in words: one line a thing that changed, by name and not by position."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from holdfast.control.snapshot import Desired, Lease, Snapshot
from holdfast.core.clock import to_iso

MAX_SHOWN = 60
"""Characters of a value that a line shows, at most."""

_NAMED_BY = ("name", "key", "version", "target")
_SINGULAR = {
    "targets": "target",
    "routes": "route",
    "guards": "guard",
    "breakers": "breaker",
    "prompts": "prompt",
    "templates": "template",
    "keys": "key",
    "flags": "flag",
    "versions": "version",
}


def desired_diff(before: Desired, after: Desired) -> tuple[str, ...]:
    """Such as ``route support: target gpt: weight: 1.0 → 0.5``; empty where the two are equal."""
    return tuple(_structs("", before, after))


def snapshot_diff(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """The differences of the desired states, of the leases and of the red button."""
    lines = list(desired_diff(before.desired, after.desired))
    old, new = ({lease.id: lease for lease in snapshot.leases} for snapshot in (before, after))
    lines += [f"lease {key} is gone: {described(lease)}" for key, lease in old.items() if key not in new]
    lines += [f"lease {key} is new: {described(lease)}" for key, lease in new.items() if key not in old]
    for key in (key for key in old if key in new):
        lines += _structs(f"lease {key}: ", old[key], new[key])
    if before.automation != after.automation:
        lines.append("automation: on" if after.automation else "automation: stopped by the red button")
    return tuple(lines)


def described(lease: Lease) -> str:
    """A lease in one line: what it does, to whom, until when."""
    scope = ", ".join(f"{name}={value}" for name, value in lease.scope.items())
    share = "" if lease.share >= 1 else f" for {lease.share:.0%} of the users"
    return f"{lease.action} where {scope}{share} until {to_iso(lease.expires_ns)}"


def _structs(where: str, before: msgspec.Struct, after: msgspec.Struct) -> Iterator[str]:
    for field in before.__struct_fields__:
        old, new = getattr(before, field), getattr(after, field)
        if old == new:
            continue
        if isinstance(old, tuple) and isinstance(new, tuple) and _name(*old, *new):
            yield from _collections(f"{where}{_SINGULAR.get(field, field)}", old, new)
        elif isinstance(old, dict) and isinstance(new, dict):
            yield from _mappings(f"{where}{field}", old, new)
        elif isinstance(old, msgspec.Struct) and type(old) is type(new):
            yield from _structs(f"{where}{field}: ", old, new)
        else:
            yield f"{where}{field}: {_shown(old)} → {_shown(new)}"


def _collections(where: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[str]:
    name = _name(*before, *after)
    old, new = ({getattr(entry, name): entry for entry in entries} for entries in (before, after))
    for key in old:
        if key not in new:
            yield f"{where} {key} removed"
    for key, entry in new.items():
        if key not in old:
            yield f"{where} {key} added"
        else:
            yield from _structs(f"{where} {key}: ", old[key], entry)
    if [key for key in old if key in new] != [key for key in new if key in old]:
        yield f"{where} order: {', '.join(new)}"


def _mappings(where: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for key in dict.fromkeys((*before, *after)):
        if key not in after:
            yield f"{where}[{key}] removed"
        elif key not in before:
            yield f"{where}[{key}] added: {_shown(after[key])}"
        elif before[key] != after[key]:
            yield f"{where}[{key}]: {_shown(before[key])} → {_shown(after[key])}"


def _name(*entries: Any) -> str:
    """The field by which entries are told apart; empty where they are no named structs."""
    if not entries or not all(isinstance(entry, msgspec.Struct) for entry in entries):
        return ""
    return next((name for name in _NAMED_BY if name in entries[0].__struct_fields__), "")


def _shown(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}… ({len(text)} characters)"
