"""Validation: what may become a snapshot. Every change is judged as the snapshot that it would make, whole."""

import msgspec

from holdfast.control.availability import availability_problems
from holdfast.control.desired_rules import desired_problems
from holdfast.control.lease_rules import lease_problems
from holdfast.control.problem import Problem
from holdfast.control.snapshot import Desired, Snapshot
from holdfast.core.errors import InputError, TooLargeError

MAX_SNAPSHOT_BYTES = 4 * 1024 * 1024
"""Of the JSON form. Gateways refuse a larger one, so none is ever made."""
MAX_TOLD = 20
"""Problems named in one error."""

_decode_desired = msgspec.json.Decoder(Desired).decode


def problems(snapshot: Snapshot) -> list[Problem]:
    """Everything that is wrong with a snapshot, each with its place; empty where nothing is."""
    found = list(desired_problems(snapshot.desired))
    if not found:
        # Leases are judged against what they refer to, which must make sense first.
        found += [*lease_problems(snapshot), *availability_problems(snapshot)]
    return found


def must_be_sound(snapshot: Snapshot) -> None:
    """Refuses a snapshot with problems.

    Raises:
        InputError: names the first problems and their places.
        TooLargeError: its JSON form is over `MAX_SNAPSHOT_BYTES`.
    """
    found = problems(snapshot)
    if found:
        told = "; ".join(str(problem) for problem in found[:MAX_TOLD])
        raise InputError(told + (f"; and {len(found) - MAX_TOLD} more" if len(found) > MAX_TOLD else ""))
    size = len(msgspec.json.encode(snapshot))
    if size > MAX_SNAPSHOT_BYTES:
        raise TooLargeError(f"has {size} bytes as JSON, at most {MAX_SNAPSHOT_BYTES} are allowed", "snapshot")


def read_desired(data: bytes | str) -> Desired:
    """A desired state from its JSON form, with the right types; `must_be_sound` judges the rest.

    Raises:
        InputError: it is no JSON, or a field is unknown, missing or of another type; names the place.
        TooLargeError: it is over `MAX_SNAPSHOT_BYTES`.
    """
    if len(data) > MAX_SNAPSHOT_BYTES:
        raise TooLargeError(f"has {len(data)} bytes, at most {MAX_SNAPSHOT_BYTES} are allowed", "desired")
    try:
        return _decode_desired(data)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$")
        raise InputError(what, f"desired{place.rstrip('`')}") from error
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InputError(f"is no JSON: {error}", "desired") from error
