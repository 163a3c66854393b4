"""The control plane of a server: what its endpoints, OFREP and the console work on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from threading import Lock
from typing import Annotated, Any

import structlog
from fastapi import Depends, FastAPI, Request

from holdfast.act.containment import Containment
from holdfast.api.context import ApiContext
from holdfast.api.rate import RateLimit, RatePolicy
from holdfast.control.changes import Announcer
from holdfast.control.feed import Feed
from holdfast.control.flags import Flags
from holdfast.control.gateways import Gateways
from holdfast.control.meters import exposition, unavailable
from holdfast.control.probes import Probes, ProbeVerdict, judged_lease
from holdfast.control.store import STREAM, ControlStore
from holdfast.core.errors import NotFoundError, StoreError
from holdfast.core.stream import StreamEntry

log = structlog.get_logger(__name__)

EVALUATIONS = RatePolicy(per_s=2_000, burst=10_000)
"""Flags that one token may evaluate: applications ask on every request of theirs."""

_making = Lock()


class ControlPlane:
    """Store, actions, gateways, probes and feed over one ledger.

    Raises:
        StoreError, IntegrityError: the control stream cannot be read.
    """

    def __init__(self, context: ApiContext) -> None:
        self._stream = context.ledger.stream(STREAM)
        self.store = ControlStore(self._stream, context.clock)
        self.containment = Containment(self.store)
        self.gateways = Gateways(context.clock)
        self.probes = Probes()
        self.announcer = Announcer(self._stream, context.telemetry.append_changes)
        self.evaluations = RateLimit(context.clock, EVALUATIONS)
        self.feed = Feed(self.store, self.probes)
        self._flags = Flags(self.store.snapshot)

    def flags(self) -> Flags:
        """The flags of the snapshot in force."""
        if self._flags.snapshot is not self.store.snapshot:
            self._flags = Flags(self.store.snapshot)
        return self._flags

    def history(self, limit: int, before: int) -> list[StreamEntry]:
        """The last changes, newest first; with `before`, those of a lower version."""
        return self._stream.newest(limit, before)

    def judge(self, verdict: ProbeVerdict, actor: str) -> tuple[ProbeVerdict, str]:
        """Takes a verdict in and passes it on; enough good ones end the lease that they speak of, whose id is returned then."""
        verdict = self.probes.add(verdict)
        self.feed.wake()
        lease_id = judged_lease(self.store.snapshot, verdict)
        if not lease_id or not self.probes.closes(lease_id):
            return verdict, ""
        with suppress(NotFoundError):
            self.store.revoke(lease_id, actor, f"its last probes were judged good by {verdict.judge}")
        return verdict, lease_id


def plane_of(request: Request) -> ControlPlane:
    """The control plane of this application, made when it is first asked for."""
    return plane_in(request.app)


def meters_of(request: Request) -> bytes:
    """The control plane in Prometheus' text format; where it cannot be served, that."""
    try:
        plane = plane_in(request.app)
    except StoreError:
        return unavailable()
    return exposition(plane.store.snapshot, plane.gateways.known(), plane.store.now_ns())


Plane = Annotated[ControlPlane, Depends(plane_of)]
Meters = Annotated[bytes, Depends(meters_of)]


@asynccontextmanager
async def following(app: FastAPI) -> AsyncIterator[None]:
    """As long as the application serves, the plane takes in what other servers change.

    A control stream that cannot be read takes the control plane's endpoints down (503), and nothing else.
    """
    try:
        plane = await asyncio.to_thread(plane_in, app)
    except StoreError as error:
        log.error("the control plane cannot be served", error=str(error))
        yield
        return
    task = asyncio.create_task(plane.feed.follow(plane.announcer.catch_up), name="control-feed")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def plane_in(app: Any) -> ControlPlane:
    """The same, where there is no request."""
    with _making:
        if not hasattr(app.state, "control"):
            app.state.control = ControlPlane(app.state.context)
    found: ControlPlane = app.state.control
    return found
