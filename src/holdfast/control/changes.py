"""What the control plane changed, as `Change`s that a diagnosis can suspect: nothing that we do to an application is silent.

An event that configures gives one change for each thing that it changed; one that begins or ends a containment gives one with its
scope.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from holdfast.control.diff import desired_diff
from holdfast.control.events import (
    START,
    ControlEvent,
    ControlState,
    DesiredChanged,
    LeaseExpired,
    LeaseGranted,
    LeaseRevoked,
    apply,
    event_in,
)
from holdfast.control.snapshot import Desired, Lease
from holdfast.core.change import CONTROL, Change, ChangeKind
from holdfast.core.ids import derived_id
from holdfast.core.stream import EventStream, StreamEntry

_PART_KINDS = {
    "targets": ChangeKind.MODEL,
    "routes": ChangeKind.MODEL,
    "guards": ChangeKind.GUARDRAIL,
    "breakers": ChangeKind.CONFIG,
    "templates": ChangeKind.CONFIG,
    "keys": ChangeKind.CONFIG,
    "flags": ChangeKind.FLAG,
}
_ACTION_KINDS = {
    "downgrade_model": ChangeKind.MODEL,
    "open_breaker": ChangeKind.MODEL,
    "shift_traffic": ChangeKind.MODEL,
    "revert_prompt": ChangeKind.PROMPT,
    "pin_parameters": ChangeKind.CONFIG,
    "strict_filter": ChangeKind.GUARDRAIL,
    "disable_tool": ChangeKind.TOOL,
    "quarantine_source": ChangeKind.INDEX,
}
"""Other actions are `flag`s: they switch something off."""


AGAIN = 200
"""Last events whose changes are told again after a start: those that a crash kept back are told, the others known by id."""


class Announcer:
    """Tells the changes of a control stream, each at least once. Not for several threads at a time.

    Args:
        stream: the control stream.
        tell: keeps changes; those that it has already, by source and id, it ignores.
    """

    def __init__(self, stream: EventStream, tell: Callable[[Sequence[Change]], object]) -> None:
        self._stream, self._tell = stream, tell
        self._state = START
        self._quiet_until = max(0, stream.version() - AGAIN)

    def catch_up(self) -> None:
        """Tells what has happened since. What could not be told is told next time.

        Raises:
            StoreError: the stream cannot be read, or the changes cannot be kept.
        """
        while page := self._stream.read(self._state.snapshot.version):
            state, found = self._state, list[Change]()
            for entry in page:
                if entry.version > self._quiet_until:
                    found += changes_of(state, event_in(entry), entry)
                state = apply(state, entry)
            if found:
                self._tell(found)
            self._state = state


def changes_of(before: ControlState, event: ControlEvent, entry: StreamEntry) -> list[Change]:
    """The changes that one event of the control stream made; the same again for the same entry.

    Args:
        before: the state that the event met.
        event: what `entry` holds.
        entry: where it stands in the stream.
    """
    match event:
        case DesiredChanged(desired=desired):
            told = [*_prompts(before.snapshot.desired, desired), *_parts(before.snapshot.desired, desired)]
        case LeaseGranted(lease=lease):
            told = [_lease(lease, "", lease.id)]
        case LeaseRevoked(lease_id=lease_id) | LeaseExpired(lease_id=lease_id):
            found = before.lease(lease_id)
            told = [_lease(found, lease_id, "")] if found else []
        case _:
            told = []
    actor = entry.event.actor
    return [
        Change(
            id=derived_id("ctl", entry.version, fields["target"]),
            time_ns=entry.event.time_ns,
            source=CONTROL,
            subject=actor,
            **fields,
        )
        for fields in told
    ]


def _prompts(before: Desired, after: Desired) -> Iterator[dict[str, Any]]:
    old = {prompt.name: prompt.current for prompt in before.prompts}
    new = {prompt.name: prompt.current for prompt in after.prompts}
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield {
                "kind": ChangeKind.PROMPT,
                "target": f"prompt/{name}",
                "from_value": old.get(name, ""),
                "to_value": new.get(name, ""),
            }


def _parts(before: Desired, after: Desired) -> Iterator[dict[str, Any]]:
    for part, kind in _PART_KINDS.items():
        old, new = ({_name(one): one for one in getattr(desired, part)} for desired in (before, after))
        for name in dict.fromkeys((*old, *new)):
            if old.get(name) == new.get(name):
                continue
            one, other = (replace(Desired(), **{part: (found[name],) if name in found else ()}) for found in (old, new))
            yield {
                "kind": kind,
                "target": f"{part}/{name}",
                "to_value": "; ".join(desired_diff(one, other)),
                "scope": {"route": name} if part == "routes" else {},
            }


def _lease(lease: Lease, from_value: str, to_value: str) -> dict[str, Any]:
    return {
        "kind": _ACTION_KINDS.get(lease.action, ChangeKind.FLAG),
        "target": lease.action,
        "from_value": from_value,
        "to_value": to_value,
        "service": lease.scope.get("service.name", ""),
        "scope": {name: value for name, value in lease.scope.items() if name != "service.name"},
    }


def _name(entry: Any) -> str:
    found: str = getattr(entry, "name", "") or entry.key
    return found
