"""Probes of quality: copies of requests, whose answers no user sees, sent to a target that a breaker keeps closed, and judged.

Guards judge them here. Where a lease names another judge, the answer goes to the server, redacted, and its judge decides.
"""

import asyncio
from collections import deque
from copy import copy

import msgspec
import orjson

from holdfast.context.redact import Redactor
from holdfast.control.effects import OpenBreaker
from holdfast.control.probes import MAX_CALL_BYTES, ProbeAnswer, ProbeVerdict
from holdfast.control.snapshot import BreakerRule, BreakerSignal, GuardPlace
from holdfast.core.clock import NS_PER_S, Clock
from holdfast.gateway.breakers import Breakers, Outcome
from holdfast.gateway.dialects.protocol import Said
from holdfast.gateway.exchange import Exchange, Ruling
from holdfast.gateway.failures import UpstreamError
from holdfast.gateway.guarding import Guarding, judged
from holdfast.gateway.headers import outgoing
from holdfast.gateway.record import spans_of
from holdfast.gateway.serving import MAX_ANSWER_BYTES, outgoing_body, whole_object
from holdfast.gateway.tasks import ended
from holdfast.gateway.upstream import Upstream, Upstreams

MAX_AT_ONCE = 4
MAX_VERDICTS = 200
LEASE_PAUSE_S = 1.0
"""Between two probes of one leased breaker."""
MAX_ANSWERS = 4
ANSWER_KEPT_S = 10.0
"""Answers that wait for the server to take them, and for how long; then the next probe has a newer one."""
LEASED = "lease"


class Probing:
    """Sends copies, and judges them or has them judged.

    At most four are under way; a request for which there is no room is simply not copied.

    Args:
        redactor: of what leaves for a judge of the server's; None: no texts leave, and such a judge has nothing to judge.
    """

    def __init__(
        self, clock: Clock, breakers: Breakers, upstreams: Upstreams, guarding: Guarding, redactor: Redactor | None = None
    ) -> None:
        self._clock, self._breakers, self._upstreams, self._guarding = clock, breakers, upstreams, guarding
        self._redactor = redactor
        self._under_way: set[asyncio.Task[None]] = set()
        self._latest_ns: dict[str, int] = {}
        self._answers: deque[ProbeAnswer] = deque(maxlen=MAX_ANSWERS)
        self.verdicts: deque[ProbeVerdict] = deque(maxlen=MAX_VERDICTS)

    def answers(self) -> tuple[ProbeAnswer, ...]:
        """Those that a judge of the server's is to judge, oldest first."""
        oldest_ns = self._clock.now_ns() - int(ANSWER_KEPT_S * NS_PER_S)
        while self._answers and self._answers[0].time_ns < oldest_ns:
            self._answers.popleft()
        return tuple(self._answers)

    def consider(self, exchange: Exchange) -> None:
        """Copy this request to the targets that want probes."""
        if exchange.endpoint is None or exchange.endpoint.name != "chat":
            return
        rules = exchange.compiled.breakers(exchange.route.name)
        for target, names in exchange.copies:
            upstream = self._upstreams.get(target)
            if upstream is None or len(self._under_way) >= MAX_AT_ONCE:
                continue
            wanted = tuple([r for r in rules if r.name in names and r.signal is BreakerSignal.QUALITY])
            lease = self._leased(exchange, target) if LEASED in names else None
            if not wanted and lease is None:
                continue
            self._breakers.begin_probes(wanted, names, target, exchange.dimensions)
            task = asyncio.get_running_loop().create_task(self._probe(exchange, upstream, wanted, lease))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    def _leased(self, exchange: Exchange, target: str) -> tuple[str, str] | None:
        """(lease, judge) of the lease that keeps `target` closed, where another probe of it is due."""
        now_ns = self._clock.now_ns()
        for lease in exchange.effective.leases:
            effect = lease.effect
            if isinstance(effect, OpenBreaker) and effect.target == target and effect.judge:
                if now_ns - self._latest_ns.get(lease.id, 0) < LEASE_PAUSE_S * NS_PER_S:
                    return None
                if len(self._latest_ns) > MAX_VERDICTS:
                    self._latest_ns.clear()
                self._latest_ns[lease.id] = now_ns
                return lease.id, effect.judge
        return None

    async def _probe(
        self, exchange: Exchange, upstream: Upstream, rules: tuple[BreakerRule, ...], lease: tuple[str, str] | None
    ) -> None:
        said = await self._asked_again(exchange, upstream)
        outcomes = self._outcomes(exchange, said)
        self._breakers.record(rules, upstream.target.name, exchange.dimensions, outcomes, tuple([r.name for r in rules]))
        if lease is not None:
            self._tell(
                exchange,
                said,
                outcomes,
                ProbeAnswer(
                    lease_id=lease[0],
                    target=upstream.target.name,
                    judge=lease[1],
                    trace_id=exchange.trace_id,
                    call=b"",
                    time_ns=self._clock.now_ns(),
                ),
            )

    def _tell(self, exchange: Exchange, said: Said | None, outcomes: list[Outcome], answer: ProbeAnswer) -> None:
        """Note what the lease's judge says, why it says nothing, or the answer for a judge of the server's. None is a bad one."""
        if said is None:
            self._note(answer, False, "the target gave no answer")
        elif self._guarding.knows(answer.judge):
            found = next((o for o in outcomes if o.guard == answer.judge), None)
            self._note(answer, None if found is None else not found.value, "" if found else "the guard did not judge this answer")
        elif self._redactor is None:
            self._note(answer, None, "this gateway lets no texts leave, and none of its guards has the judge's name")
        else:
            call = spans_of(_asked_and_said(exchange, said, answer), self._redactor, content=True)
            if len(call) > MAX_CALL_BYTES:
                self._note(answer, None, f"request and answer have over {MAX_CALL_BYTES} bytes")
            else:
                self._answers.append(msgspec.structs.replace(answer, call=call))

    def _note(self, answer: ProbeAnswer, good: bool | None, reason: str) -> None:
        self.verdicts.append(answer.verdict(good, reason, answer.time_ns))

    async def _asked_again(self, exchange: Exchange, upstream: Upstream) -> Said | None:
        """What the target says to the same request, not streamed; None where it says nothing."""
        if exchange.endpoint is None:
            return None
        body = orjson.loads(outgoing_body(exchange, upstream.target)) | {"stream": False}
        body.pop("stream_options", None)
        try:
            place = upstream.place(exchange.request.path, exchange.request.query)
            headers = outgoing(exchange, upstream.credentials())
            async with await upstream.send("POST", place, headers, orjson.dumps(body)) as answer:
                if answer.status != 200:
                    return None
                return exchange.endpoint.said(whole_object(await answer.whole(MAX_ANSWER_BYTES)))
        except UpstreamError:
            return None

    def _outcomes(self, exchange: Exchange, said: Said | None) -> list[Outcome]:
        """Each guard's verdict on the copy, and all together. No answer is a bad one."""
        guards = self._guarding.ready(exchange, GuardPlace.OUTPUT)
        if said is None:
            each = [Outcome(BreakerSignal.QUALITY, 1.0, g.armed.guard.name) for g in guards]
            return [*each, Outcome(BreakerSignal.QUALITY, 1.0)]
        seen = exchange.to_judge(said)
        each = []
        for one in guards:
            ruling = judged(one, seen)[0]
            if ruling in (Ruling.ALLOW, Ruling.DENY):
                each.append(Outcome(BreakerSignal.QUALITY, float(ruling is Ruling.DENY), one.armed.guard.name))
        return [*each, Outcome(BreakerSignal.QUALITY, float(any(o.value for o in each)))] if each else []

    async def close(self) -> None:
        """End the probes that are under way."""
        await ended(*self._under_way)


def _asked_and_said(exchange: Exchange, said: Said, answer: ProbeAnswer) -> Exchange:
    """The exchange as it would have been with this target: what is said of the user's own answer is left out."""
    found = copy(exchange)
    found.said, found.target, found.ended_ns = said, answer.target, answer.time_ns
    found.status, found.refusal, found.cost_usd, found.block_id = 200, None, None, ""
    found.verdicts, found.attempts, found.changes = [], [], []
    return found


__all__ = ["LEASED", "Probing"]
