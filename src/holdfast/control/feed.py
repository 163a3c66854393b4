"""`Feed`: who waits for a new snapshot or a new verdict is woken, whoever made it, in this process or another.

A change made here wakes the waiting at once; one made elsewhere is found when the stream of the ledger is next asked for its
length, every `FOLLOW_S`. Both are far below the second within which gateways must run it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import structlog

from holdfast.control.probes import Probes, ProbeVerdict
from holdfast.control.snapshot import Snapshot
from holdfast.control.store import ControlStore
from holdfast.core.errors import BackpressureError, StoreError

log = structlog.get_logger(__name__)

FOLLOW_S = 0.2
MAX_WAITING = 2_000
"""Streams and long polls open at a time."""


class Waiter:
    """One that waits, on one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()

    def wake(self) -> None:
        """From any thread. A loop that is closed has nobody left to wake."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, timeout_s: float) -> bool:
        """Until woken, or the time is over; says whether woken."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


class Feed:
    """Follows a control store.

    Args:
        store: what is followed.
        probes: whose verdicts are passed on.
    """

    def __init__(self, store: ControlStore, probes: Probes) -> None:
        self._store, self._probes = store, probes
        self._waiters: set[Waiter] = set()
        self._encoded = (-1, b"")
        self.ended = False
        """The server is about to stop: streams end by themselves."""
        store.watch(lambda snapshot: self.wake())

    def wake(self) -> None:
        """Wakes all that wait, from any thread."""
        for waiter in tuple(self._waiters):
            waiter.wake()

    def end(self) -> None:
        """Lets all that wait go, for good."""
        self.ended = True
        self.wake()

    def encoded(self) -> tuple[Snapshot, bytes]:
        """The snapshot and its JSON form, which is made once a version."""
        snapshot, (version, data) = self._store.snapshot, self._encoded
        if version != snapshot.version:
            data = msgspec.json.encode(snapshot)
            self._encoded = (snapshot.version, data)
        return snapshot, data

    def verdicts(self, after: int) -> list[ProbeVerdict]:
        """The verdicts with a higher number."""
        return self._probes.after(after)

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[Waiter]:
        """A waiter, as long as the block lasts.

        Raises:
            BackpressureError: `MAX_WAITING` wait already.
        """
        if len(self._waiters) >= MAX_WAITING:
            raise BackpressureError(f"{MAX_WAITING} wait here already", retry_after_s=5)
        waiter = Waiter(asyncio.get_running_loop())
        self._waiters.add(waiter)
        try:
            yield waiter
        finally:
            self._waiters.discard(waiter)

    async def follow(self, then: Callable[[], object]) -> None:
        """Takes in what other processes change, writes down what has expired, and calls `then` in a thread, until cancelled.

        A store that fails is asked again, and told of once in the log.
        """
        failing = False

        def step() -> None:
            self._store.expire()
            then()

        while True:
            try:
                await asyncio.to_thread(step)
                failing = False
            except StoreError as error:
                if not failing:
                    log.error("the control plane cannot be followed", error=str(error))
                failing = True
            await asyncio.sleep(FOLLOW_S)
