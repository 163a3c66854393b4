"""Probes of quality: copies of requests, whose answers no user sees, sent to a target that a breaker keeps closed, and judged."""

import asyncio
from collections import deque

import orjson

from holdfast.control.effects import OpenBreaker
from holdfast.control.probes import ProbeVerdict
from holdfast.control.snapshot import BreakerRule, BreakerSignal, GuardPlace
from holdfast.core.clock import NS_PER_S, Clock
from holdfast.gateway.breakers import Breakers, Outcome
from holdfast.gateway.dialects.protocol import Said
from holdfast.gateway.exchange import Exchange, Ruling
from holdfast.gateway.failures import UpstreamError
from holdfast.gateway.guarding import Guarding, judged
from holdfast.gateway.headers import outgoing
from holdfast.gateway.serving import MAX_ANSWER_BYTES, outgoing_body, whole_object
from holdfast.gateway.tasks import ended
from holdfast.gateway.upstream import Upstream, Upstreams

MAX_AT_ONCE = 4
MAX_VERDICTS = 200
LEASE_PAUSE_S = 1.0
"""Between two probes of one leased breaker."""
LEASED = "lease"


class Probing:
    """Sends and judges copies. At most four are under way; a request for which there is no room is simply not copied."""

    def __init__(self, clock: Clock, breakers: Breakers, upstreams: Upstreams, guarding: Guarding) -> None:
        self._clock, self._breakers, self._upstreams, self._guarding = clock, breakers, upstreams, guarding
        self._under_way: set[asyncio.Task[None]] = set()
        self._latest_ns: dict[str, int] = {}
        self.verdicts: deque[ProbeVerdict] = deque(maxlen=MAX_VERDICTS)

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
            found = next((o for o in outcomes if o.guard == lease[1]), None)
            if found is not None:
                self.verdicts.append(self._verdict(exchange, upstream, lease, not found.value))

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

    def _verdict(self, exchange: Exchange, upstream: Upstream, lease: tuple[str, str], good: bool) -> ProbeVerdict:
        return ProbeVerdict(
            rule="",
            target=upstream.target.name,
            good=good,
            judge=lease[1],
            lease_id=lease[0],
            trace_id=exchange.trace_id,
            time_ns=self._clock.now_ns(),
        )

    async def close(self) -> None:
        """End the probes that are under way."""
        await ended(*self._under_way)


__all__ = ["LEASED", "Probing"]
