"""The gateway of one worker: an exchange goes through the stages, to a target, through the guards on its answer, and is recorded.

Everything here runs on one event loop. What decides is pure and lives elsewhere; this file is the order of things.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import structlog

from holdfast.context.redact import Redactor
from holdfast.control.snapshot import BreakerSignal, Desired, GuardMode, GuardPlace, Snapshot
from holdfast.core.clock import NS_PER_S, Clock
from holdfast.gateway.breakers import Breakers, Outcome
from holdfast.gateway.compiled import Compiled
from holdfast.gateway.delivering import Delivery, heard, streamed, whole
from holdfast.gateway.dialects.registry import ENDPOINTS, dialect_of
from holdfast.gateway.exchange import Exchange, Reply, Request, Ruling
from holdfast.gateway.guard_link import GuardLink
from holdfast.gateway.guard_words import Arm
from holdfast.gateway.guarding import Guarding, Ready
from holdfast.gateway.headers import incoming
from holdfast.gateway.judging import Judging, Opinions, completed
from holdfast.gateway.limits import Limits
from holdfast.gateway.meters import Meters
from holdfast.gateway.models_list import models_reply
from holdfast.gateway.probing import Probing
from holdfast.gateway.record import spans_of
from holdfast.gateway.refusal import Reason, Refusal
from holdfast.gateway.serving import Served, Serving
from holdfast.gateway.siblings import Judged, Word
from holdfast.gateway.stages import STAGES, Desk, act, holders, in_force, unread
from holdfast.gateway.switch import Position
from holdfast.gateway.together import prepare, warm
from holdfast.gateway.upstream import Upstreams
from holdfast.score.calibrator import Calibrator
from holdfast.score.prices import price_of

log = structlog.get_logger(__name__)

SETTLE_S = 0.005
"""How long a finished exchange may wait for others to be settled with."""
MAX_TOGETHER = 16
"""Exchanges that are settled in one turn of the event loop: more would keep requests waiting."""
MAX_FINISHED = 512
CONCLUDED = 4
"""Exchanges that the guard process has judged and that are concluded in one turn of the event loop."""
BACKLOG_PART = 4
"""Of a longer backlog one in so many is done in a turn: it grows to a few turns of work, however busy the loop is."""
Keep = Callable[[bytes], None]
"""Takes one line of telemetry."""


class Work(NamedTuple):
    """A finished exchange, and the guards in shadow on its request and on its answer."""

    exchange: Exchange
    delivery: Delivery
    before: Sequence[Ready]
    after: Sequence[Ready]


class Gateway:
    """All that a worker knows. `apply` puts a snapshot into force between two requests.

    Args:
        keep: where finished calls go as telemetry; called after the client has its answer.
        content: whether telemetry carries messages and answers, redacted.
        workers: how many share the limits.
        keyless: whether a snapshot without virtual keys serves everybody.
    """

    def __init__(
        self, clock: Clock, redactor: Redactor, keep: Keep, *, content: bool = True, workers: int = 1, keyless: bool = True
    ) -> None:
        self._clock, self._redactor, self._keep, self._content = clock, redactor, keep, content
        self.compiled = Compiled(Snapshot(version=0, created_ns=0, desired=Desired()))
        self._lifted: frozenset[str] = frozenset()
        self.guarding = Guarding(clock)
        self.desk = Desk(clock=clock, guarding=self.guarding, limits=Limits(clock, workers), redactor=redactor, keyless=keyless)
        self.breakers = Breakers(clock)
        self.upstreams = Upstreams(clock)
        self.serving = Serving(clock, self.breakers, self.upstreams)
        self.probing = Probing(clock, self.breakers, self.upstreams, self.guarding, redactor if content else None)
        self.meters = Meters()
        self._link: GuardLink | None = None
        self._judging = Judging(self.guarding, lambda: self.in_flight == 1)
        self._finished: list[tuple[Exchange, Delivery]] = []
        self._settling: asyncio.Handle | None = None
        self._judged: deque[tuple[Work, Opinions | None]] = deque()
        self.in_flight = 0

    def judge_by(self, link: GuardLink) -> None:
        """Have guards judge in the process behind `link`, whenever it is ready."""
        self._link = self._judging.link = link
        self._tell_guards()

    def apply(self, snapshot: Snapshot) -> None:
        """Put `snapshot` into force. Requests under way end under the one that they began with."""
        self.compiled = Compiled(snapshot, self.compiled.calibrator)
        warm(self.guarding.arm(self.compiled))
        self.upstreams.configure(dict(self.compiled.targets))
        self.meters.snapshot.set(snapshot.version)
        for warning in self.compiled.warnings:
            log.warning("snapshot refers to nothing", what=warning, version=snapshot.version)
        for name, reason in self.guarding.broken.items():
            log.error("guard cannot run", guard=name, reason=reason)
        self._tell_guards()
        self._lift(snapshot)

    def _tell_guards(self) -> None:
        if self._link is None:
            return
        snapshot = self.compiled.snapshot
        used = any(g.mode is not GuardMode.OFF for g in snapshot.desired.guards) or bool(snapshot.leases)
        guards = snapshot.desired.guards if used else ()
        self._link.arm(Arm(guards, tuple(self.compiled.calibrator.calibrations)))

    def _lift(self, snapshot: Snapshot) -> None:
        """Blocks that support found wrong since the last snapshot count against the budgets of their guards."""
        lifted = frozenset(snapshot.lifted)
        for block_id in sorted(lifted - self._lifted):
            self.guarding.lifted(block_id)
        self._lifted = lifted

    def calibrate(self, calibrator: Calibrator) -> None:
        """Judge by these calibrations from the next request on."""
        self.compiled = Compiled(self.compiled.snapshot, calibrator)
        self._tell_guards()

    def hear(self, word: Word) -> None:
        """What was said elsewhere: by a judge of a probe, or by a sibling whose breaker opened."""
        if isinstance(word, Judged):
            self.breakers.judged(self.compiled.breakers_named(word.verdict.rule), word.verdict)
        else:
            self.breakers.tripped_elsewhere(self.compiled.breakers_named(word.rule), word)

    def throw(self, position: Position) -> None:
        """The kill switch was thrown."""
        if self.desk.switch is not position:
            log.warning("kill switch", position=position.value)
        self.desk.switch = position

    @property
    def ready(self) -> bool:
        """Whether there is anything that it could serve."""
        return bool(self.compiled.routes)

    def begin(self, request: Request) -> Exchange:
        """An exchange for a request, with an id of the client's where it sent a usable one."""
        endpoint = ENDPOINTS.get(request.path) if request.method == "POST" else None
        dialect = endpoint.dialect if endpoint is not None else dialect_of(request.path, frozenset(request.headers))
        given = request.headers.get("x-request-id", "")
        usable = 8 <= len(given) <= 128 and given.isascii() and given.isprintable() and " " not in given
        return Exchange(request, self.compiled, dialect, endpoint, given if usable else f"req_{random.getrandbits(64):016x}")

    async def answer(self, exchange: Exchange) -> tuple[Reply, Delivery]:
        """The reply, and what is to be known of its delivery."""
        delivery = Delivery()
        for stage in STAGES:
            reply = stage(exchange, self.desk)
            if reply is not None:
                return reply, delivery
        reply = await self._inspected(exchange)
        if reply is None and exchange.request.method == "GET" and exchange.request.path == "/v1/models":
            reply = models_reply(exchange)
        if reply is not None:
            return reply, delivery
        found = await self.serving.serve(exchange)
        if isinstance(found, Reply):
            return found, delivery
        return await self._delivered(exchange, found, delivery), delivery

    async def _inspected(self, exchange: Exchange) -> Reply | None:
        """The guards on the request that are in force. Those in shadow run when the answer is out: nobody waits for them."""
        if exchange.endpoint is None:
            return unread(exchange, self.desk)
        guards = in_force(exchange, self.guarding, GuardPlace.INPUT)
        if not guards:
            return None
        exchange.seen = exchange.to_judge()
        acting = await self._judging.judge(exchange, guards, exchange.seen)
        return None if acting is None else act(exchange, self.desk, *acting)

    async def _delivered(self, exchange: Exchange, served: Served, delivery: Delivery) -> Reply:
        if not served.streams:
            reply = await whole(exchange, served, self.desk, self._judging)
            if isinstance(reply.body, bytes):
                delivery.keep(reply.body)
            return reply
        headers = incoming(served.answer.headers, changed=False)
        return Reply(status=served.answer.status, headers=headers, body=streamed(exchange, served, self.desk, delivery))

    def finish(self, exchange: Exchange, delivery: Delivery) -> None:
        """The client has its answer. What is left to do is done in a moment, together with that of others."""
        exchange.ended_ns = self._clock.now_ns()
        self._finished.append((exchange, delivery))
        if len(self._finished) >= MAX_FINISHED:
            self._settle_some()
        elif self._settling is None:
            self._settling = asyncio.get_running_loop().call_later(SETTLE_S, self._settle_some)

    def _settle_some(self) -> None:
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        count = max(MAX_TOGETHER, len(self._finished) // BACKLOG_PART)
        some, self._finished = self._finished[:count], self._finished[count:]
        self._settle(some)
        if self._finished:
            self._settling = asyncio.get_running_loop().call_soon(self._settle_some)

    def settle(self) -> None:
        """Do all that is left to do, now and here."""
        if self._link is not None:
            self._link.recall()
        while self._finished:
            some, self._finished = self._finished[:MAX_TOGETHER], self._finished[MAX_TOGETHER:]
            self._settle_here(self._works(some))
        while self._judged:
            self._settle_one(*self._judged.popleft())

    def _settle(self, some: list[tuple[Exchange, Delivery]]) -> None:
        """Ask the guard process; what it cannot be asked is judged here."""
        here = []
        for work in self._works(some):
            seen, answered = work.exchange.seen, partial(self._hear, work)
            judges = bool(work.before or work.after) and seen is not None
            if not (judges and seen is not None and self._judging.ask_later(work.before, work.after, seen, answered)):
                here.append(work)
        self._settle_here(here)

    def _works(self, some: list[tuple[Exchange, Delivery]]) -> Iterator[Work]:
        for exchange, delivery in some:
            try:
                yield Work(exchange, delivery, *self._to_judge(exchange, delivery))
            except Exception as error:  # noqa: BLE001 - the runner's edge, as below
                self._lost(exchange, error)

    def _settle_here(self, works: Iterable[Work]) -> None:
        works = list(works)
        prepare(((*w.before, *w.after), w.exchange.seen) for w in works if w.exchange.seen is not None)
        for work in works:
            self._settle_one(work)

    def _hear(self, work: Work, opinions: Opinions | None) -> None:
        """What the guard process says. Concluded a few at a time: requests go first."""
        if not self._judged:
            asyncio.get_running_loop().call_soon(self._conclude_some)
        self._judged.append((work, opinions))

    def _conclude_some(self) -> None:
        for _ in range(min(max(CONCLUDED, len(self._judged) // BACKLOG_PART), len(self._judged))):
            self._settle_one(*self._judged.popleft())
        if self._judged:
            asyncio.get_running_loop().call_soon(self._conclude_some)

    def _lost(self, exchange: Exchange, error: Exception) -> None:
        self.meters.failed("finish")
        log.error("exchange could not be recorded", request_id=exchange.request_id, error=type(error).__name__, exc_info=True)

    def _to_judge(self, exchange: Exchange, delivery: Delivery) -> tuple[Sequence[Ready], Sequence[Ready]]:
        """The guards in shadow: (on the request, on the answer). Nobody waited for them."""
        if exchange.said is None and delivery.kept:
            exchange.said = heard(exchange, delivery)
        if exchange.endpoint is None or exchange.off:
            return (), ()
        before = self.guarding.ready(exchange, GuardPlace.INPUT, GuardMode.SHADOW)
        after = self.guarding.ready(exchange, GuardPlace.OUTPUT, GuardMode.SHADOW)
        after = after if exchange.said is not None and exchange.attempts else ()
        if (before or after) and (exchange.seen is None or exchange.seen.said is not exchange.said):
            exchange.seen = exchange.to_judge(exchange.said)
        return before, after

    def _settle_one(self, work: Work, opinions: Opinions | None = None) -> None:
        try:
            self._judge_in_shadow(work, opinions)
            self._record(work.exchange, work.delivery)
        except Exception as error:  # noqa: BLE001 - the client has its answer: what fails here is counted and told, and stops nobody
            self._lost(work.exchange, error)

    def _judge_in_shadow(self, work: Work, opinions: Opinions | None) -> None:
        seen, before, after = work.exchange.seen, work.before, work.after
        if seen is None:
            return
        split = None if opinions is None else (opinions[: len(before)], opinions[len(before) :])
        if before:
            request = seen.of_request() if split is None or None in split[0] else seen
            self.guarding.conclude(work.exchange, before, completed(before, request, split and split[0]))
        if after:
            self.guarding.conclude(work.exchange, after, completed(after, seen, split and split[1]))

    def _record(self, exchange: Exchange, delivery: Delivery) -> None:
        """Tell breakers and limits, count, write telemetry."""
        self._price(exchange)
        self._tell_breakers(exchange)
        self._keep_safe(exchange, delivery)
        if exchange.copies and not exchange.off:
            self.probing.consider(exchange)
        self.meters.finished(exchange)
        if exchange.trace_id:
            self._keep(spans_of(exchange, self._redactor, self._content))

    def _price(self, exchange: Exchange) -> None:
        said, target = exchange.said, exchange.compiled.targets.get(exchange.target)
        if said is None or target is None:
            return
        usage = said.usage
        if usage.input_tokens is None and usage.output_tokens is None:
            return
        tokens = (usage.input_tokens or 0, usage.output_tokens or 0)
        if target.usd_per_million_input or target.usd_per_million_output:
            exchange.cost_usd = (tokens[0] * target.usd_per_million_input + tokens[1] * target.usd_per_million_output) / 1e6
        else:
            exchange.cost_usd = price_of(said.model or exchange.asked.model, usage)
        if not exchange.off:
            for _, holder, _ in holders(exchange):
                self.desk.limits.charge(holder, sum(tokens), exchange.cost_usd or 0.0)

    def _tell_breakers(self, exchange: Exchange) -> None:
        if exchange.off or not exchange.attempts or exchange.attempts[-1].failure:
            return
        attempt = exchange.attempts[-1]
        outcomes = [Outcome(BreakerSignal.LATENCY, self._latency_s(exchange))]
        if exchange.cost_usd is not None:
            outcomes.append(Outcome(BreakerSignal.COST, exchange.cost_usd))
        outcomes += quality(exchange)
        rules = exchange.compiled.breakers(exchange.route.name)
        self.breakers.record(rules, attempt.target, exchange.dimensions, outcomes, attempt.probe)

    @staticmethod
    def _latency_s(exchange: Exchange) -> float:
        """Of a stream to its first byte: how long it goes on is up to what was asked."""
        end_ns = exchange.first_byte_ns if exchange.asked.stream else exchange.ended_ns
        return max(end_ns - exchange.request.started_ns, 0) / NS_PER_S

    def _keep_safe(self, exchange: Exchange, delivery: Delivery) -> None:
        """An answer that went out as the target wrote it, that every guard let pass, and that the route allows to be kept."""
        if not exchange.route.cache_safe_answers or exchange.status != 200 or exchange.asked.stream or exchange.endpoint is None:
            return
        judged = [v for v in exchange.verdicts if v.place is GuardPlace.OUTPUT]
        clean = judged and all(v.ruling in (Ruling.ALLOW, Ruling.NOT_APPLICABLE) for v in judged)
        if clean and delivery.kept and exchange.said is not None and not exchange.said.tool_calls and exchange.target:
            self.serving.safe_answers.put(self.serving.safe_key(exchange), b"".join(delivery.kept))

    async def close(self) -> None:
        """Settle what is left, and let all connections go."""
        self.settle()
        await self.probing.close()
        for upstream in self.upstreams.all():
            upstream.close()


def quality(exchange: Exchange) -> list[Outcome]:
    """What the guards on the answer said of the target: each for itself, and all together."""
    judged = [v for v in exchange.verdicts if v.place is GuardPlace.OUTPUT and v.ruling in (Ruling.ALLOW, Ruling.DENY)]
    if not judged:
        return []
    each = [Outcome(BreakerSignal.QUALITY, float(v.ruling is Ruling.DENY), v.guard) for v in judged]
    return [*each, Outcome(BreakerSignal.QUALITY, float(any(o.value for o in each)))]


def internal_error(exchange: Exchange) -> Reply:
    """What a client gets when the gateway itself has made a mistake."""
    return exchange.refuse(Refusal(Reason.INTERNAL, "the gateway made a mistake; it is in its log under the request id"))
