"""From a target's answer to what the client gets: the guards on the answer, whole or behind a hold-back window."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence

import msgspec
import orjson

from holdfast.control.snapshot import GuardPlace
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import TooLargeError
from holdfast.core.ids import random_id
from holdfast.gateway.answers import can_answer, own_reply, template_text
from holdfast.gateway.dialects.protocol import Endpoint, Event, Listener, OwnAnswer, Said
from holdfast.gateway.exchange import Enforced, Exchange, Reply, Ruling, Verdict
from holdfast.gateway.failures import UpstreamError
from holdfast.gateway.guarding import Ready, judged
from holdfast.gateway.guards.protocol import Action, Seen
from holdfast.gateway.headers import incoming
from holdfast.gateway.holdback import HoldBack
from holdfast.gateway.judging import Judging
from holdfast.gateway.refusal import Reason, Refusal, error_frame
from holdfast.gateway.serving import Served
from holdfast.gateway.sse import EventReader
from holdfast.gateway.stages import Desk, enforced, in_force

MAX_KEPT_BYTES = 1_000_000
"""Of a stream that passes unread, for guards in shadow and telemetry when it is over; what is longer is recorded as not read."""
_END_MARKS = (b"[DONE]", b"message_stop", b"response.completed", b"response.incomplete", b"response.failed", b'"finish_reason":"')
_TAIL_BYTES = 8192


class Delivery:
    """What became of one answer on its way out; `broken` is why a stream ended early."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.kept_bytes = 0
        self.broken = ""
        self.listener: Listener | None = None

    def keep(self, chunk: bytes) -> None:
        """Keep a chunk for later, as long as there is room."""
        if self.kept_bytes <= MAX_KEPT_BYTES:
            self.kept.append(chunk)
        self.kept_bytes += len(chunk)

    @property
    def overflowed(self) -> bool:
        """Whether more came than was kept."""
        return self.kept_bytes > MAX_KEPT_BYTES


async def whole(exchange: Exchange, served: Served, desk: Desk, judging: Judging) -> Reply:
    """The reply for an answer that is there as a whole."""
    headers = incoming(served.answer.headers, changed=False)
    plain = Reply(status=served.answer.status, headers=headers, body=served.body)
    endpoint, answer = exchange.endpoint, served.json
    if endpoint is None or answer is None:
        return plain
    said = exchange.said = endpoint.said(answer)
    if (refused := _disabled_tool(exchange, said)) is not None:
        return _instead(exchange, desk, refused)
    guards = in_force(exchange, desk.guarding, GuardPlace.OUTPUT)
    if not guards:
        return plain
    seen = exchange.seen = exchange.to_judge(said)
    acting = await judging.judge(exchange, guards, seen)
    if acting is None:
        return plain
    one, verdict = acting
    exchange.block_id = random_id("blk")
    desk.guarding.blocked(exchange, verdict)
    exchange.changed(f"guard:{verdict.guard}")
    redact = getattr(one.armed.judge, "redact", None)
    if verdict.ruling is Ruling.DENY and one.armed.action is Action.REDACT and redact is not None:
        enforced(exchange, verdict, Enforced.REDACTED)
        body = orjson.dumps(endpoint.with_text(answer, redact))
        exchange.said = msgspec.structs.replace(said, text=redact(said.text))
        return Reply(status=200, headers=incoming(served.answer.headers, changed=True), body=body)
    return _withheld(exchange, desk, one, verdict)


def _disabled_tool(exchange: Exchange, said: Said) -> str | None:
    return next((c.name for c in said.tool_calls if c.name in exchange.effective.disabled_tools), None)


def _withheld(exchange: Exchange, desk: Desk, one: Ready, verdict: Verdict) -> Reply:
    """The answer is not shown: a template in its place, or an error where the guard asks for one."""
    if verdict.ruling is Ruling.DENY and one.armed.action is Action.REFUSE:
        enforced(exchange, verdict, Enforced.REFUSED)
        return exchange.refuse(Refusal(Reason.GUARD, f"the answer was withheld by guard {verdict.guard}", 0, exchange.block_id))
    if not can_answer(exchange):
        enforced(exchange, verdict, Enforced.REFUSED)
        return exchange.refuse(Refusal(Reason.GUARD_FAILED, f"guard {verdict.guard} could not judge the answer", 30))
    enforced(exchange, verdict, Enforced.REPLACED)
    return own_reply(exchange, OwnAnswer(template_text(exchange), True, desk.clock.now_ns() // NS_PER_S))


def _instead(exchange: Exchange, desk: Desk, tool: str) -> Reply:
    exchange.changed(f"tool:{tool}")
    return own_reply(exchange, OwnAnswer(template_text(exchange), True, desk.clock.now_ns() // NS_PER_S))


async def streamed(exchange: Exchange, served: Served, desk: Desk, delivery: Delivery) -> AsyncIterator[bytes]:
    """The pieces of a streamed answer. Without a guard in force they are the target's own, as they come."""
    guards = in_force(exchange, desk.guarding, GuardPlace.OUTPUT) if exchange.endpoint is not None else ()
    reads = bool(guards or exchange.effective.disabled_tools) and exchange.endpoint is not None
    pieces = _pieces(served, delivery)
    try:
        if reads and exchange.endpoint is not None:
            async for piece in _guarded(exchange, exchange.endpoint, guards, desk, delivery, pieces):
                yield piece
        else:
            async for piece in _passed(delivery, pieces):
                yield piece
        if delivery.broken:
            refusal = Refusal(Reason.UPSTREAM_FAILED, f"the answer broke off: {delivery.broken}")
            yield error_frame(exchange.dialect, refusal, exchange.request_id)
    finally:
        await pieces.aclose()
        served.answer.close()


async def _pieces(served: Served, delivery: Delivery) -> AsyncGenerator[bytes, None]:
    yield served.first
    while True:
        try:
            piece = await served.answer.chunk()
        except UpstreamError as error:
            delivery.broken = str(error)
            served.attempt.failure = error.failure.value
            return
        if piece is None:
            return
        if piece:
            yield piece


async def _passed(delivery: Delivery, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    tail = b""
    async for piece in pieces:
        delivery.keep(piece)
        tail = (tail + piece)[-_TAIL_BYTES:]
        yield piece
    if not delivery.broken and not any(mark in tail for mark in _END_MARKS):
        delivery.broken = "it ended without its last event"


async def _guarded(
    exchange: Exchange,
    endpoint: Endpoint,
    guards: Sequence[Ready],
    desk: Desk,
    delivery: Delivery,
    pieces: AsyncIterator[bytes],
) -> AsyncIterator[bytes]:
    listener = delivery.listener = endpoint.listener(exchange.asked)
    watch = _Watch(exchange, guards, desk, listener)
    hold = HoldBack(watch.window, watch.objects)
    reader = EventReader()
    async for piece in pieces:
        try:
            events = reader.feed(piece)
        except TooLargeError as error:
            delivery.broken = str(error)
            return
        out = _released(events, listener, hold)
        if out:
            yield b"".join(out)
        if hold.cut:
            break
    rest = [] if delivery.broken else list(hold.end())
    if rest:
        yield b"".join(rest)
    if hold.cut:
        watch.note()
        said = listener.said()
        tail = template_text(exchange)
        text = f"\n\n{tail}" if hold.released_text else tail
        yield b"".join(listener.tail(text, hold.released_text))
        exchange.said = msgspec.structs.replace(said, text=f"{said.text[: hold.released_text]}\n\n{tail}", finished=True)
    elif not delivery.broken and not listener.said().finished:
        delivery.broken = "it ended without its last event"


def _released(events: Iterable[Event], listener: Listener, hold: HoldBack) -> list[bytes]:
    """The frames that may go out. Nothing behind a cut is heard: the tail ends what was heard before it."""
    out: list[bytes] = []
    for event in events:
        if hold.cut:
            break
        out += hold.feed(event, listener.hear(event))
    return out


class _Watch:
    """What the hold-back window asks: does any guard object to the answer so far."""

    def __init__(self, exchange: Exchange, guards: Sequence[Ready], desk: Desk, listener: Listener) -> None:
        self._exchange, self._guards, self._desk, self._listener = exchange, guards, desk, listener
        windows = [g.armed.kind.window if g.armed.kind is not None else 0 for g in guards]
        self.window = 0 if 0 in windows else max(windows, default=1)
        self._acting: tuple[Ready, Verdict] | None = None
        self._settled = False
        self._tool = ""

    def objects(self, final: bool) -> bool:
        """Whether the answer must be cut here."""
        said = self._listener.said()
        tool = _disabled_tool(self._exchange, said)
        if tool is not None:
            self._tool = tool
            return True
        if self._settled:
            return False
        seen = self._exchange.to_judge(said if final else self._latest(said))
        if not final and not any(self._stops(one, seen) for one in self._guards):
            return False
        # Once for the record, with the budget and all: at the end, or where a guard has spoken. One whose budget lets this pass
        # is not asked again.
        self._settled = True
        self._acting = self._desk.guarding.run(self._exchange, self._guards, seen)
        return self._acting is not None

    def _latest(self, said: Said) -> Said:
        """The end of the answer: as much as can be new, and what a pattern in it may need before it."""
        return msgspec.structs.replace(said, text=said.text[-4 * self.window :]) if self.window else said

    @staticmethod
    def _stops(one: Ready, seen: Seen) -> bool:
        ruling = judged(one, seen)[0]
        return ruling is Ruling.DENY or (ruling is Ruling.ERROR and not one.armed.guard.fail_open)

    def note(self) -> None:
        """Record what was done."""
        self._exchange.block_id = random_id("blk")
        if self._acting is not None:
            self._desk.guarding.blocked(self._exchange, self._acting[1])
            enforced(self._exchange, self._acting[1], Enforced.CUT)
            self._exchange.changed(f"guard:{self._acting[1].guard}")
        elif self._tool:
            self._exchange.changed(f"tool:{self._tool}")


def heard(exchange: Exchange, delivery: Delivery) -> Said | None:
    """What a streamed answer said, read when it is over."""
    if exchange.endpoint is None:
        return None
    if delivery.listener is not None:
        return delivery.listener.said()
    listener = exchange.endpoint.listener(exchange.asked)
    reader = EventReader()
    try:
        for chunk in delivery.kept:
            for event in reader.feed(chunk):
                listener.hear(event)
    except TooLargeError:
        pass
    return listener.said()


__all__ = ["Delivery", "heard", "streamed", "whole"]
