"""`ControlStore`: the control plane's state, changed by compare-and-swap on a stream of the ledger."""

from collections.abc import Callable, Sequence
from threading import RLock

from holdfast.control import leases
from holdfast.control.diff import desired_diff
from holdfast.control.events import START, ControlEvent, ControlState, DesiredChanged, LeaseGranted, apply, recorded
from holdfast.control.leases import Draft, must_have_reason
from holdfast.control.snapshot import Desired, Lease, Snapshot
from holdfast.control.validate import must_be_sound
from holdfast.core.clock import Clock
from holdfast.core.errors import ConflictError, IntegrityError, TransitionError
from holdfast.core.stream import EventStream, StreamEntry, StreamEvent

STREAM = "control"
"""Name of the stream in the ledger."""
SYSTEM = "holdfast"
"""Actor of what happens by itself."""

ATTEMPTS = 8
"""Times that a change which does not name a version is decided anew because somebody else was first."""
PAGE = 1_000

_BUILDING = (DesiredChanged.__name__, LeaseGranted.__name__)
"""Events that must leave a sound snapshot. What only takes away is never refused: the red button works on any state."""

Decide = Callable[[ControlState, int], Sequence[ControlEvent]]
"""From the state and the time (ns) to what shall happen; called again when somebody else was first."""


class ControlStore:
    """The one place that changes what gateways run. Safe for many threads, and for many processes on one ledger.

    Each change is judged as the snapshot that it would make, and written as one atomic append: the snapshot's version is the
    stream's. Leases whose time is over are written down as expired before anything else is decided.

    Args:
        stream: where the events are.
        clock: tells when leases end.

    Raises:
        StoreError: the stream cannot be read; so does every method.
        IntegrityError: the events do not fold; so does every method.
    """

    def __init__(self, stream: EventStream, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._lock = RLock()
        self._state = START
        self._watchers: list[Callable[[Snapshot], None]] = []
        self.refresh()

    @property
    def state(self) -> ControlState:
        """As of the last refresh or change."""
        return self._state

    @property
    def snapshot(self) -> Snapshot:
        """As of the last refresh or change."""
        return self._state.snapshot

    def now_ns(self) -> int:
        """The time by which leases end."""
        return self._clock.now_ns()

    def watch(self, tell: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Calls `tell` with every new snapshot, from whichever thread made or found it; returns what ends that."""
        with self._lock:
            self._watchers.append(tell)

        def stop() -> None:
            with self._lock:
                self._watchers.remove(tell)

        return stop

    def refresh(self) -> ControlState:
        """Takes in what other processes have changed."""
        with self._lock:
            if self._stream.version() > self._state.snapshot.version:
                while page := self._stream.read(self._state.snapshot.version, PAGE):
                    self._take(page)
                self._tell()
            return self._state

    def expire(self) -> ControlState:
        """Takes in what others have changed, and writes down which leases have come to their end."""
        self.refresh()
        if leases.expired(self._state, self._clock.now_ns()):
            return self.change(lambda state, now_ns: (), SYSTEM)
        return self._state

    def change(self, decide: Decide, actor: str, expected_version: int | None = None) -> ControlState:
        """Decides and writes, all or nothing.

        Args:
            decide: what shall happen, given the state without expired leases; nothing is fine.
            actor: who, for the ledger.
            expected_version: version of the snapshot that the caller saw; None decides on whatever is there.

        Raises:
            ConflictError: the snapshot is at another version, or others were first too often.
            InputError: what would come out is not sound; names the places.
            What `decide` raises.
        """
        with self._lock:
            for _ in range(ATTEMPTS):
                state = self.refresh()
                _must_be_at(state, expected_version)
                said = self._decided(decide, actor, state)
                if not said:
                    return state
                try:
                    added = self._stream.append(said, state.snapshot.version)
                except ConflictError:
                    if expected_version is not None:
                        raise
                    continue
                self._take(added)
                self._tell()
                return self._state
        raise ConflictError("the control plane was changed by others again and again: try again")

    def _decided(self, decide: Decide, actor: str, state: ControlState) -> list[StreamEvent]:
        """What is to be written: first what has expired, then what was decided, tried out to be sure that it is sound."""
        now_ns = self._clock.now_ns()
        said = [recorded(event, SYSTEM, now_ns) for event in leases.expired(state, now_ns)]
        for event in said:
            state = apply(state, _entry_after(state, event))
        for decision in decide(state, now_ns):
            event = recorded(decision, actor, now_ns)
            state = apply(state, _entry_after(state, event))
            said.append(event)
        if any(event.type in _BUILDING for event in said):
            must_be_sound(state.snapshot)
        return said

    def _take(self, entries: Sequence[StreamEntry]) -> None:
        for entry in entries:
            try:
                self._state = apply(self._state, entry)
            except TransitionError as error:
                raise IntegrityError(f"control event {entry.version} does not fit: {error}") from error

    def _tell(self) -> None:
        for tell in tuple(self._watchers):
            tell(self._state.snapshot)

    # What people and automation ask for

    def configure(self, desired: Desired, actor: str, reason: str, expected_version: int | None) -> tuple[str, ...]:
        """Puts another desired state in place, and returns the differences in words; none: nothing was written.

        Raises:
            ConflictError, InputError: as in `change`.
        """
        return self.edit(lambda before, now_ns: desired, actor, reason, expected_version)

    def edit(
        self, edit: Callable[[Desired, int], Desired], actor: str, reason: str, expected_version: int | None = None
    ) -> tuple[str, ...]:
        """Like `configure`, from what is there: `edit` gets it and the time (ns), and may be called again."""
        changes: tuple[str, ...] = ()

        def decide(state: ControlState, now_ns: int) -> Sequence[ControlEvent]:
            nonlocal changes
            must_have_reason(reason)
            desired = edit(state.snapshot.desired, now_ns)
            changes = desired_diff(state.snapshot.desired, desired)
            return [DesiredChanged(desired=desired, changes=changes, reason=reason)] if changes else []

        self.change(decide, actor, expected_version)
        return changes

    def grant(self, draft: Callable[[ControlState], Draft], actor: str, expected_version: int | None = None) -> Lease:
        """Applies a containment. A draft whose key was granted before gives the lease of then.

        Args:
            draft: from the state to what is asked for; called again when somebody else was first.
            actor: who, for the ledger.
            expected_version: as in `change`.

        Raises:
            TransitionError: it is automatic while automation is stopped.
            ConflictError, InputError: as in `change`.
            What `draft` raises.
        """
        found: list[Lease] = []

        def decide(state: ControlState, now_ns: int) -> Sequence[ControlEvent]:
            wanted = draft(state)
            known = leases.known_by_key(state, wanted)
            events = [] if known else [leases.granted(state, wanted, actor, now_ns)]
            found[:] = [known] if known else [event.lease for event in events]
            return events

        self.change(decide, actor, expected_version)
        return found[0]

    def renew(self, lease_id: str, ttl_s: float, actor: str, reason: str) -> Lease:
        """Lets a lease end `ttl_s` seconds from now.

        Raises:
            NotFoundError: there is no such live lease.
            InputError: the time is too short or too long, or there is no reason.
        """
        state = self.change(lambda state, now_ns: [leases.renewed(state, lease_id, ttl_s, reason, now_ns)], actor)
        return leases.live_lease(state, lease_id, 0)

    def revoke(self, lease_id: str, actor: str, reason: str) -> ControlState:
        """Ends a lease now.

        Raises:
            NotFoundError: there is no such live lease.
            InputError: there is no reason.
        """
        return self.change(lambda state, now_ns: [leases.revoked(state, lease_id, reason, now_ns)], actor)

    def lift(self, block_id: str, actor: str, reason: str) -> ControlState:
        """Says that a guard's block was wrong: gateways count it against the guard's budget.

        Raises:
            InputError: this is no id of a block, it was lifted before, or there is no reason.
        """
        return self.change(lambda state, now_ns: leases.lifted(state, block_id, reason), actor)

    def stop_automation(self, actor: str, reason: str) -> ControlState:
        """Presses the red button.

        Raises:
            InputError: there is no reason.
            TransitionError: it is pressed already.
        """
        return self.change(lambda state, now_ns: leases.stopped(state, reason), actor)

    def resume_automation(self, actor: str, reason: str) -> ControlState:
        """Releases the red button.

        Raises:
            InputError: there is no reason.
            TransitionError: it is not pressed.
        """
        return self.change(lambda state, now_ns: [leases.resumed(state, reason)], actor)


def _must_be_at(state: ControlState, expected_version: int | None) -> None:
    found = state.snapshot.version
    if expected_version is not None and found != expected_version:
        raise ConflictError(f"the snapshot is at version {found}, not {expected_version}: somebody else changed it")


def _entry_after(state: ControlState, event: StreamEvent) -> StreamEntry:
    """How an event would stand in the stream, to see what would come out."""
    return StreamEntry(seq=0, version=state.snapshot.version + 1, event=event, prev_hash="", hash="")
