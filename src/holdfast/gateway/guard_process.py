"""The guard process of one worker: guards judge here, so that no request waits behind the reading of another.

Started by the worker as ``python -m holdfast.gateway.guard_process SOCKET``. It holds nothing that would be missed: when it is
gone, the worker judges for itself until the next one is ready. When its socket ends, the worker is gone, and it ends too.
"""

import gc
import signal
import socket
import sys

import msgspec
import structlog

from holdfast.core.errors import HoldfastError
from holdfast.gateway.guard_words import Arm, Batch, Frames, Said_, Wanted, decode_order, decode_question, framed
from holdfast.gateway.guarding import Armed, Ready, armed, opinion_of
from holdfast.gateway.guards.protocol import UNCALIBRATED, Seen
from holdfast.gateway.logs import log_as_json
from holdfast.gateway.together import prepare, warm
from holdfast.score.calibrator import Calibrator

log = structlog.get_logger(__name__)

RECEIVED_BYTES = 2**20


class Panel:
    """The armed guards, and what they say."""

    def __init__(self) -> None:
        self._armed: dict[str, Armed] = {}
        self._calibrator = UNCALIBRATED

    def hear(self, frame: bytes) -> Said_:
        """The answer to one frame.

        Raises:
            msgspec.MsgspecError: it is nothing that a worker says.
        """
        order = decode_order(frame)
        if isinstance(order, Batch):
            return self.judge(order)
        self.arm(order)
        return []

    def arm(self, order: Arm) -> None:
        """Take these guards; those that did not change are kept as they are."""
        known = self._armed
        self._armed = {
            guard.name: before if (before := known.get(guard.name)) is not None and before.guard == guard else armed(guard)
            for guard in order.guards
        }
        self._calibrator = Calibrator(order.calibrations)
        warm(one for name, one in self._armed.items() if one is not known.get(name))

    def judge(self, batch: Batch) -> Said_:
        """What each question's guards say; all that can be read together is read together."""
        questions = [decode_question(raw) for raw in batch.questions]
        seen = [Seen(q.asked, q.said, q.dimensions, self._calibrator) for q in questions]
        before = [self._ready(q.before) for q in questions]
        after = [self._ready(q.after) for q in questions]
        prepare(
            ([one for one in (*first, *second) if one is not None], what)
            for first, second, what in zip(before, after, seen, strict=True)
        )
        found: Said_ = []
        for first, second, what in zip(before, after, seen, strict=True):
            request = what if what.on_request or not first else what.of_request()
            found.append(
                [None if one is None else opinion_of(one, request) for one in first]
                + [None if one is None else opinion_of(one, what) for one in second]
            )
        return found

    def _ready(self, names: Wanted) -> list[Ready | None]:
        return [None if (one := self._armed.get(name)) is None else Ready(one, one.guard.mode, at) for name, at in names]


def serve(connection: socket.socket) -> None:
    """Answer until the other end is gone.

    Raises:
        OSError: the connection broke.
        HoldfastError, msgspec.MsgspecError: the other end says what no worker says.
    """
    panel, frames = Panel(), Frames()
    frozen = False
    while data := connection.recv(RECEIVED_BYTES):
        for frame in frames.feed(data):
            connection.sendall(framed(panel.hear(frame)))
        if not frozen:
            # What was loaded to begin with stays: the collector need not look through it again and again.
            gc.collect()
            gc.freeze()
            frozen = True


def main(arguments: list[str]) -> None:
    """The process. Signals to the group are for the worker: it says when it is over, by ending the connection."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    try:
        with socket.socket(fileno=int(arguments[0])) as connection:
            serve(connection)
    except (OSError, HoldfastError, msgspec.MsgspecError) as error:
        log.error("guard process ended", error=f"{type(error).__name__}: {error}")
        raise SystemExit(1) from error


if __name__ == "__main__":
    log_as_json()
    main(sys.argv[1:])
