"""A worker's end of its guard process: keeps one running, and hands it questions a batch at a time.

One batch is with the process, and a second behind it where it is worth it, so that the process need not wait until the worker
comes round to its answer. What arrives meanwhile is the next one, urgent questions first. The more go together, the cheaper is
each. Whatever cannot be asked, or is not answered in time, is given back: the worker then judges for itself. So nothing waits for
a process that is starting, hangs or is gone.
"""

import asyncio
import contextlib
import socket
import sys
from collections import deque
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import NamedTuple, cast

import msgspec
import structlog

from holdfast.core.errors import HoldfastError, InputError
from holdfast.gateway.guard_words import Arm, Batch, Frames, decode_answers, framed
from holdfast.gateway.guarding import Opinion

log = structlog.get_logger(__name__)

MAX_TOGETHER = 16
"""Questions of one batch: an urgent one that comes just behind it must not wait for long."""
AHEAD_TOGETHER = 8
"""Questions that wait while the process has a batch, from which on they follow it at once."""
MAX_AHEAD = 2
"""Batches with the process."""
MAX_BACKLOG_TOGETHER = 48
"""Questions of a batch out of a long queue: its answers come a turn of the event loop later, in which many more are asked."""
BACKLOG_PART = 4
GATHER_S = 0.005
"""How long questions wait for a full batch where no client waits for an answer: the more in one, the cheaper is each."""
MAX_WAITING = 256
"""Questions that are not urgent and wait; more are given back at once."""
MAX_URGENT = 64
"""Urgent questions that wait; with more, a client would wait longer than the worker needs by itself."""
PATIENCE_S = 5.0
"""For the answer to a batch. A process that takes longer is ended."""
ARMING_S = 60.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
WELL_AFTER_S = 30.0
"""A process that ran for so long was well: the next start does not wait."""

Answered = Callable[[Sequence[Opinion | None] | None], None]
"""Called once: with the opinions in the order of the question's guards, or with None where there are none."""


class Asked(NamedTuple):
    """A question on its way."""

    data: bytes
    answered: Answered


class _Sent(NamedTuple):
    """What the process has not answered yet: guards to arm, or a batch, which is empty where it was recalled."""

    arms: bool
    batch: list[Asked]


class _Connection(asyncio.Protocol):
    """The socket, as frames."""

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self._heard, self._frames = heard, Frames()
        self.transport: asyncio.Transport | None = None
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._frames.feed(data):
                self._heard(frame)
        except (HoldfastError, msgspec.MsgspecError) as error:
            log.error("guard process makes no sense", error=str(error))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()

    def close(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class GuardLink:
    """The guard process of one worker, as it asks it. `failed` is told of every process that ended before its time.

    `pid` is that of the process, 0 where there is none.
    """

    def __init__(self, failed: Callable[[], None] = lambda: None) -> None:
        self._failed = failed
        self.pid = 0
        self._arm: Arm | None = None
        self._wanted = asyncio.Event()
        self._connection: _Connection | None = None
        self._ready = False
        self._urgent: deque[Asked] = deque()
        self._later: deque[Asked] = deque()
        self._out: deque[list[Asked]] = deque()
        self._sent: deque[_Sent] = deque()
        self._sending: asyncio.Handle | None = None
        self._hurried = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def ready(self) -> bool:
        """Whether questions are taken."""
        return self._ready

    @property
    def under_way(self) -> int:
        """Questions that the process has, and has not answered."""
        return sum(len(batch) for batch in self._out)

    @property
    def busy(self) -> bool:
        """Whether the process is at work: what is asked now waits for its next batch."""
        return bool(self._out) or self._sending is not None

    def arm(self, order: Arm) -> None:
        """These guards are to judge. Without any no process is started; until they are loaded no question is taken."""
        if order == self._arm:
            return
        self._arm = order
        if order.guards:
            self._wanted.set()
        self._tell_guards()

    def _tell_guards(self) -> None:
        if self._connection is None or self._arm is None:
            return
        self.recall()
        self._ready = False
        try:
            self._put(self._arm, _Sent(True, []), ARMING_S)
        except (TypeError, ValueError, OverflowError) as error:
            log.error("guards cannot be handed on: the worker judges by itself", error=str(error))

    def _put(self, order: Arm | Batch, sent: "_Sent", patience_s: float) -> None:
        if self._connection is not None and self._connection.transport is not None:
            self._connection.transport.write(framed(order))
            self._sent.append(sent)
            self._expect(patience_s)

    def ask(self, data: bytes, answered: Answered, urgent: bool) -> bool:
        """Ask a question; False where it is not taken, and `answered` is not called."""
        if not self._ready:
            return False
        waiting, most = (self._urgent, MAX_URGENT) if urgent else (self._later, MAX_WAITING)
        if len(waiting) >= most:
            return False
        waiting.append(Asked(data, answered))
        self._send_soon()
        return True

    def _send_soon(self) -> None:
        """With what else is asked in this turn of the event loop; where nobody waits for it, when enough is there, or later."""
        if not (self._urgent or self._later) or (self._out and not self._worth_it()):
            return
        hurried = bool(self._urgent) or len(self._later) >= MAX_TOGETHER
        if self._sending is not None:
            if self._hurried or not hurried:
                return
            self._sending.cancel()
        loop = asyncio.get_running_loop()
        self._hurried = hurried
        self._sending = loop.call_soon(self._send) if hurried else loop.call_later(GATHER_S, self._send)

    def _worth_it(self) -> bool:
        """Whether what waits makes a second batch."""
        enough = AHEAD_TOGETHER if self._urgent else MAX_TOGETHER
        return len(self._out) < MAX_AHEAD and len(self._urgent) + len(self._later) >= enough

    def _send(self) -> None:
        self._sending = None
        if not self._ready or (self._out and not self._worth_it()):
            return
        waiting = len(self._urgent) + len(self._later)
        most = MAX_TOGETHER if self._urgent else min(max(MAX_TOGETHER, waiting // BACKLOG_PART), MAX_BACKLOG_TOGETHER)
        out = [(self._urgent or self._later).popleft() for _ in range(min(most, waiting))]
        if out:
            self._out.append(out)
            self._put(Batch(tuple([msgspec.Raw(one.data) for one in out])), _Sent(False, out), PATIENCE_S)

    def _expect(self, within_s: float) -> None:
        self._at_rest()
        self._timer = asyncio.get_running_loop().call_later(within_s, self._hung)

    def _at_rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _hung(self) -> None:
        log.error("guard process does not answer: it is ended")
        if self._connection is not None:
            self._connection.close()

    def _heard(self, frame: bytes) -> None:
        answers = decode_answers(frame)
        if not self._sent:
            raise InputError("answers what was not asked", "guard process")
        arms, asked = self._sent.popleft()
        self._at_rest()
        if self._sent:
            self._expect(PATIENCE_S)
        if arms:
            self._ready = not any(sent.arms for sent in self._sent)
            return
        if self._out and asked is self._out[0]:
            self._out.popleft()
            if self._urgent:
                self._send()
            else:
                self._send_soon()
        for one, opinions in zip_longest(asked, answers[: len(asked)]):
            one.answered(opinions)

    def recall(self) -> None:
        """Everything that waits is given back, now."""
        waiting = [*(one for batch in self._out for one in batch), *self._urgent, *self._later]
        # Emptied where they are: their answers may still come, and are then nobody's.
        for batch in self._out:
            batch.clear()
        self._out.clear()
        self._urgent.clear()
        self._later.clear()
        for one in waiting:
            one.answered(None)

    async def run(self) -> None:
        """Keep a process running while there are guards. Ends with cancellation only."""
        loop = asyncio.get_running_loop()
        pause_s = FIRST_PAUSE_S
        await self._wanted.wait()
        while True:
            started_s = loop.time()
            try:
                await self._run_one(loop)
            except OSError as error:
                log.error("guard process cannot be started", error=error.strerror)
            pause_s = FIRST_PAUSE_S if loop.time() - started_s > WELL_AFTER_S else min(pause_s * 2, LONGEST_PAUSE_S)
            self._failed()
            log.error("guard process ended: the worker judges by itself", again_in_s=pause_s)
            await asyncio.sleep(pause_s)

    async def _run_one(self, loop: asyncio.AbstractEventLoop) -> None:
        own, other = socket.socketpair()
        process: asyncio.subprocess.Process | None = None
        connection = _Connection(self._heard)
        try:
            with other:
                program = (sys.executable, "-m", "holdfast.gateway.guard_process", str(other.fileno()))
                process = await asyncio.create_subprocess_exec(
                    *program, stdin=asyncio.subprocess.DEVNULL, pass_fds=(other.fileno(),)
                )
            own.setblocking(False)
            await loop.create_connection(lambda: connection, sock=own)
            self._connection, self.pid = connection, process.pid
            self._sent.clear()
            self._tell_guards()
            await connection.lost.wait()
        finally:
            self._connection, self._ready, self.pid = None, False, 0
            self._at_rest()
            connection.close()
            own.close()
            self.recall()
            if process is not None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
