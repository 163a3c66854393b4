"""`strict_filter`: guards that only watched, or were off, act on what they find."""

from holdfast.act.protocol import Arguments, Caps
from holdfast.act.standing import among, guards_in, in_force
from holdfast.control.effects import EnforceGuards
from holdfast.control.snapshot import GuardMode, Snapshot
from holdfast.core.errors import InputError


class StrictFilterArguments(Arguments, frozen=True, kw_only=True):
    """`guards`: which; empty: all that are in scope and not enforced. `threshold` in [0, 1]; None: each guard's own."""

    guards: tuple[str, ...] = ()
    threshold: float | None = None


class StrictFilter:
    """Enforces guards for the requests in scope."""

    name = "strict_filter"
    summary = "put guards in force, at a stricter threshold where one is given"
    arguments = StrictFilterArguments
    caps = Caps(users=5_000, traffic=0.5)
    needs = ()

    def effect(self, arguments: StrictFilterArguments, scope: dict[str, str], snapshot: Snapshot) -> EnforceGuards:
        """Raises InputError where there is no such guard, none is left to enforce, or the threshold is out of range."""
        for name in arguments.guards:
            among("arguments.guards", name, (guard.name for guard in snapshot.desired.guards), "guard")
        if arguments.threshold is not None and not 0 <= arguments.threshold <= 1:
            raise InputError("must be from 0 to 1", "arguments.threshold")
        left = (guard.name for guard in guards_in(scope, snapshot) if guard.mode is not GuardMode.ENFORCE)
        guards = arguments.guards or tuple(left)
        if not guards:
            raise InputError("is needed: every guard in scope is enforced already", "arguments.guards")
        return EnforceGuards(guards=guards, threshold=arguments.threshold)

    def does(self, effect: EnforceGuards) -> str:
        """In words."""
        at = "at their own thresholds" if effect.threshold is None else f"at a threshold of {effect.threshold:g}"
        return f"the guards {', '.join(effect.guards)} are enforced {at}"

    def before(self, effect: EnforceGuards, scope: dict[str, str], snapshot: Snapshot) -> str:
        """How each of the guards stands."""
        enforced = in_force(scope, snapshot).guards
        modes = {guard.name: f"{guard.mode} at {guard.threshold:g}" for guard in snapshot.desired.guards}
        said = (
            f"{name} {f'enforced at {enforced[name]:g} by a lease' if name in enforced else modes[name]}"
            for name in effect.guards
        )
        return ", ".join(said)
