"""Tells the server of probes: verdicts of guards, and answers that a judge of the server's is to judge, each once."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog

from holdfast.control.probes import ProbeAnswer, ProbeVerdict
from holdfast.gateway.status import WorkerStatus

log = structlog.get_logger(__name__)

Said = ProbeVerdict | ProbeAnswer
Send = Callable[[Said], Awaitable[int]]
"""Sends it to the server, and returns the status of its answer; 0 where none came."""


class Telling:
    """What the workers' statuses say of probes, for the server."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._told_ns: dict[tuple[int, type[Said]], int] = {}

    async def tell(self, statuses: Iterable[WorkerStatus]) -> None:
        """Tell what was not told yet, oldest first.

        What the server has no room for is told again the next time; what it refuses is told in the log.
        """
        before, self._told_ns = self._told_ns, {}
        for status in statuses:
            for what, said in ((ProbeVerdict, status.probes), (ProbeAnswer, status.answers)):
                self._told_ns[status.pid, what] = before.get((status.pid, what), 0)
                await self._tell(said, (status.pid, what))

    async def _tell(self, said: Sequence[Said], whose: tuple[int, type[Said]]) -> None:
        for one in said:
            if one.time_ns <= self._told_ns[whose]:
                continue
            status = await self._send(one)
            if status in (0, 429) or status >= 500:
                return
            if status >= 300:
                log.warning("probe refused by the server", status=status, lease=one.lease_id, judge=one.judge)
            self._told_ns[whose] = one.time_ns
