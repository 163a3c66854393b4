"""Requests that meet at a guard are read together: with short texts, most of the time goes into the number of steps.

At low load nobody waits: what has arrived by the next turn of the event loop is one batch, and that is one request. Where many
are under way, a batch is gathered for a moment that nobody notices behind so many others.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

import structlog

from holdfast.core.trace import Trace
from holdfast.gateway.guarding import Ready
from holdfast.gateway.guards.protocol import Seen
from holdfast.score.protocol import Preparing

log = structlog.get_logger(__name__)

MAX_BATCH = 32
"""Traces that are prepared at once: more would keep everybody else waiting."""
CROWD = 8
"""Requests under way from which on a batch is gathered."""
GATHER_S = 0.002
Work = tuple[Sequence[Ready], Seen]


class Together:
    """Gathers requests, and prepares what their guards will read. `under_way` tells how many there are."""

    def __init__(self, under_way: Callable[[], int] = lambda: 0) -> None:
        self._under_way = under_way
        self._waiting: list[tuple[Work, asyncio.Future[None]]] = []

    async def prepare(self, guards: Sequence[Ready], seen: Seen) -> None:
        """Return when what `guards` will read of `seen` is prepared. What could not be is worked out by each guard alone."""
        if not any(one.armed.preparing is not None for one in guards):
            return
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.append(((guards, seen), done))
        if len(self._waiting) == 1:
            if self._under_way() > CROWD:
                loop.call_later(GATHER_S, self._turn)
            else:
                loop.call_soon(self._turn)
        await done

    def _turn(self) -> None:
        batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._turn)
        prepare([work for work, _ in batch])
        for _, done in batch:
            if not done.done():
                done.set_result(None)


def prepare(batch: Iterable[Work]) -> None:
    """Let each scorer behind a guard read what it can of all requests at once. Never raises."""
    traces: dict[int, tuple[Preparing, dict[int, Trace]]] = {}
    for guards, seen in batch:
        for one in guards:
            scorer = one.armed.preparing
            if scorer is not None:
                traces.setdefault(id(scorer), (scorer, {}))[1][id(seen)] = seen.trace
    for scorer, wanted in traces.values():
        try:
            scorer.prepare(list(wanted.values()))
        except Exception as error:  # noqa: BLE001 - the runner's edge: each guard meets its text alone, and there it counts
            log.warning("texts could not be prepared together", scorer=type(scorer).__name__, error=type(error).__name__)
