"""What a request costs in the gateway's own code: microseconds, without sockets, HTTP server and client library.

    python -m bench.gateway_handler [--requests 4000]

Processor time: steadier than requests a second where other work shares the processor. `answer` is what the client waits for;
`settle` what follows when it has its answer: guards in shadow, breakers, telemetry. All guards judge here, those in shadow for
16 requests together, those in force for one at a time; a worker under load has them judge in its guard process instead.
"""

import argparse
import asyncio
import gc
import time
from collections.abc import Callable

import uvloop

from bench.gateway import CHAT, completion, desired, request_body
from holdfast.context.redact import RedactionPolicy, Redactor
from holdfast.control.snapshot import GuardMode, Snapshot
from holdfast.core.clock import SystemClock
from holdfast.gateway.exchange import Request
from holdfast.gateway.gateway import Gateway
from holdfast.gateway.http import GatewayApp
from holdfast.gateway.upstream import Upstream
from holdfast.gateway.wire import Headers, response_head
from holdfast.testing.gateway import KEY

TOGETHER = 16
ROUNDS = 3
ANSWER = completion().encode()
MODES = (None, GuardMode.SHADOW, GuardMode.ENFORCE)


class Instant:
    """An answer that is there at once."""

    status = 200
    headers = (("content-type", "application/json"), ("content-length", str(len(ANSWER))))

    def header(self, name: str) -> str | None:
        """As `Answer.header`."""
        return next((value for key, value in self.headers if key == name), None)

    async def whole(self, limit: int) -> bytes:
        """All of it."""
        return ANSWER

    def close(self) -> None:
        """There is nothing to let go."""


async def _instant(*_: object, **__: object) -> Instant:
    return Instant()


class Nobody:
    """A client that drops what it gets."""

    gone = False

    def on_gone(self, then: Callable[[], object] | None) -> None:
        """It never hangs up."""

    def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """An answer."""
        response_head(status, headers)

    def begin(self, status: int, headers: Headers) -> None:
        """There are no streams in this measurement."""
        raise NotImplementedError

    async def piece(self, data: bytes) -> None:
        """Neither are their pieces."""

    def end(self) -> None:
        """Nor their ends."""


NOBODY = Nobody()


async def _ask(app: GatewayApp, number: int) -> None:
    body = request_body(number)
    headers = {
        "host": "x",
        "content-type": "application/json",
        "authorization": f"Bearer {KEY}",
        "content-length": str(len(body)),
    }
    raw = CHAT.encode()
    await app.serve(
        Request(method="POST", path=CHAT, raw_path=raw, headers=headers, body=body, started_ns=time.time_ns()), NOBODY
    )


async def measured(mode: GuardMode | None, requests: int) -> tuple[float, float]:
    """(answer, settle): µs a request, of the best of three rounds."""
    clock = SystemClock()
    gateway = Gateway(clock, Redactor(RedactionPolicy(), b"k" * 32), lambda line: None)
    gateway.apply(Snapshot(version=1, created_ns=0, desired=desired("http://127.0.0.1:1", mode)))
    app = GatewayApp(gateway)
    gc.collect()
    gc.freeze()
    best = (float("inf"), float("inf"))
    for begin in range(0, ROUNDS * requests, requests):
        answering = settling = 0.0
        for first in range(begin, begin + requests, TOGETHER):
            start = time.thread_time()
            for number in range(first, first + TOGETHER):
                await _ask(app, number)
            middle = time.thread_time()
            gateway.settle()
            answering, settling = answering + middle - start, settling + time.thread_time() - middle
        best = min(best, (answering / requests * 1e6, settling / requests * 1e6), key=sum)
    await gateway.close()
    return best


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=4_000)
    arguments = parser.parse_args()
    Upstream.send = _instant  # type: ignore[assignment, method-assign] # there is no network in this measurement
    print(f"{'guards':12}{'answer us':>11}{'settle us':>11}")
    for mode in MODES:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            answering, settling = runner.run(measured(mode, arguments.requests))
        print(f"{mode.value if mode else 'none':12}{answering:11.0f}{settling:11.0f}")


if __name__ == "__main__":
    _main()
