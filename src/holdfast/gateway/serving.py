"""Gets an answer for an exchange: which target is asked, what is tried when it fails, and what is served when none answers."""

import asyncio
import random
from collections.abc import Callable, Sequence

import msgspec
import orjson

from holdfast.control.snapshot import BreakerSignal, Target
from holdfast.core.clock import NS_PER_S, Clock
from holdfast.gateway.answers import JSON, can_answer, template_reply
from holdfast.gateway.breakers import Admission, Breakers, Outcome
from holdfast.gateway.choose import ranked
from holdfast.gateway.dialects.protocol import Json
from holdfast.gateway.exchange import Attempt, Exchange, Reply
from holdfast.gateway.failures import Failure, UpstreamError
from holdfast.gateway.headers import outgoing
from holdfast.gateway.refusal import Reason, Refusal
from holdfast.gateway.retries import RetryBudget, pause_s, retry_after_s
from holdfast.gateway.safe_answers import SafeAnswers
from holdfast.gateway.upstream import Answer, Upstream, Upstreams

MAX_ANSWER_BYTES = 32 * 1024 * 1024
MAX_ERROR_BYTES = 256 * 1024
_RETRY_STATUS = frozenset({408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
_NO_VERDICT = frozenset({Failure.BUSY, Failure.SATURATED})
"""Failures that say nothing of the target's health."""


class Served(msgspec.Struct, kw_only=True):
    """An answer of a target. Of a stream (`streams`) `first` is the first piece; else `body` is whole."""

    upstream: Upstream
    answer: Answer
    attempt: Attempt
    body: bytes = b""
    json: Json | None = None
    first: bytes = b""
    streams: bool = False


class Failed(msgspec.Struct, kw_only=True):
    """That a target gave no usable answer; `status` and `body` where it gave an error in words."""

    failure: Failure
    message: str
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    wait_s: float | None = None


class Serving:
    """Asks targets. One per worker."""

    def __init__(self, clock: Clock, breakers: Breakers, upstreams: Upstreams, draw: Callable[[], float] = random.random) -> None:
        self._clock, self._breakers, self._upstreams, self._draw = clock, breakers, upstreams, draw
        self._budgets: dict[str, RetryBudget] = {}
        self.safe_answers = SafeAnswers(clock)

    def candidates(self, exchange: Exchange) -> tuple[list[Admission], list[Admission]]:
        """(targets that may be asked, in order; targets that a breaker or lease forbids)."""
        effective, rules = exchange.effective, exchange.compiled.breakers(exchange.route.name)
        if effective.target:
            names = [effective.target]
            exchange.changed(f"target:{effective.target}")
        else:
            names = ranked(exchange.route.targets, effective.weights, self._draw)
        may: list[Admission] = []
        forbidden: list[Admission] = []
        for name in names:
            target = exchange.compiled.targets.get(name)
            if target is None or target.dialect is not exchange.dialect:
                continue
            if exchange.off:
                may.append(Admission(name))
                continue
            admission = self._breakers.admission(rules, name, exchange.dimensions)
            if name in effective.opened:
                copies = ("lease",) if effective.opened[name] else ()
                admission = msgspec.structs.replace(admission, closed_by=("lease",), copies=(*admission.copies, *copies))
            (forbidden if admission.closed_by else may).append(admission)
        if len(may) > 1:
            may.sort(key=lambda a: self._pausing(a.target))
        return may, forbidden

    def _pausing(self, name: str) -> bool:
        upstream = self._upstreams.get(name)
        return upstream is not None and upstream.backing_off_s > 0

    async def serve(self, exchange: Exchange) -> Served | Reply:
        """An answer of a target, or what is served in its place."""
        may, forbidden = self.candidates(exchange)
        exchange.copies = tuple((a.target, a.copies) for a in forbidden if a.copies)
        if not may and not forbidden:
            return exchange.refuse(Refusal(Reason.NO_TARGET, f"no target of this route speaks {exchange.dialect.value}", 60))
        if not may:
            instead = self._fallback(exchange)
            if instead is not None:
                return instead
            # Never all targets at once: the one whose breaker opened first is the likeliest to be well again.
            may = [min(forbidden, key=lambda a: a.since_ns)]
            exchange.changed("breaker:overridden")
        found = await self._try(exchange, may)
        if isinstance(found, Served):
            return found
        return self._fallback(exchange) or _told(exchange, found)

    async def _try(self, exchange: Exchange, may: Sequence[Admission]) -> Served | Failed:
        policy = exchange.route.retries
        budget = self._budgets.setdefault(exchange.route.name, RetryBudget())
        budget.request(policy.budget)
        deadline_ns = self._clock.now_ns() + int(self._patience_s(may) * NS_PER_S)
        failed = Failed(failure=Failure.SATURATED, message="no target was asked")
        for round_ in range(max(policy.attempts, 1)):
            if round_ and not await self._again(exchange, round_, failed, budget, deadline_ns):
                break
            for admission in may:
                found = await self._attempt(exchange, admission)
                if isinstance(found, Served):
                    return found
                failed = found
                if self._clock.now_ns() >= deadline_ns:
                    return failed
        return failed

    def _patience_s(self, may: Sequence[Admission]) -> float:
        found = [u.target.total_s for a in may if (u := self._upstreams.get(a.target)) is not None]
        return max(found, default=0.0)

    async def _again(self, exchange: Exchange, round_: int, failed: Failed, budget: RetryBudget, deadline_ns: int) -> bool:
        """Wait for another round; False where there is none: no budget, no time, or a target that asks for a long pause."""
        policy = exchange.route.retries
        if failed.failure in (Failure.CREDENTIALS, Failure.SATURATED) or not budget.spend():
            return False
        wait_s = pause_s(policy, round_, self._draw)
        if failed.wait_s is not None:
            if failed.wait_s > policy.cap_s:
                return False
            wait_s = max(wait_s, failed.wait_s)
        if self._clock.now_ns() + wait_s * NS_PER_S >= deadline_ns:
            return False
        await asyncio.sleep(wait_s)
        return True

    async def _attempt(self, exchange: Exchange, admission: Admission) -> Served | Failed:
        upstream = self._upstreams.get(admission.target)
        if upstream is None:
            return Failed(failure=Failure.CREDENTIALS, message=f"no target named {admission.target}")
        attempt = Attempt(target=admission.target, probe=admission.probes)
        exchange.attempts.append(attempt)
        exchange.target = admission.target
        rules = exchange.compiled.breakers(exchange.route.name)
        if admission.probes:
            self._breakers.begin_probes(rules, admission.probes, admission.target, exchange.dimensions)
        found = await self._ask(exchange, upstream, attempt)
        if isinstance(found, Failed):
            attempt.failure, attempt.status = found.failure.value, found.status
        if not (isinstance(found, Failed) and found.failure in _NO_VERDICT) and not exchange.off:
            outcome = Outcome(BreakerSignal.TRANSPORT, 1.0 if isinstance(found, Failed) else 0.0)
            self._breakers.record(rules, admission.target, exchange.dimensions, (outcome,), admission.probes)
        return found

    async def _ask(self, exchange: Exchange, upstream: Upstream, attempt: Attempt) -> Served | Failed:
        answer: Answer | None = None
        served: Served | None = None
        try:
            headers = outgoing(exchange, upstream.credentials())
            place = upstream.place(exchange.request.path, exchange.request.query)
            answer = await upstream.send(exchange.request.method, place, headers, outgoing_body(exchange, upstream.target))
            attempt.status = answer.status
            if (failed := await self._bad_status(upstream, answer)) is not None:
                return failed
            served = await self._read(exchange, Served(upstream=upstream, answer=answer, attempt=attempt))
            return served
        except UpstreamError as error:
            return Failed(failure=error.failure, message=str(error))
        finally:
            if answer is not None and (served is None or not served.streams):
                answer.close()

    async def _read(self, exchange: Exchange, served: Served) -> Served:
        """Read the answer, of a stream only the first piece.

        Raises:
            UpstreamError: the answer broke off before anything of it could be used, or is not what it says it is.
        """
        answer = served.answer
        kind = (answer.header("content-type") or "").partition(";")[0].strip().lower()
        if kind == "text/event-stream":
            first = await answer.chunk()
            exchange.first_byte_ns = self._clock.now_ns()
            if not first:
                raise UpstreamError(Failure.GARBAGE, "a stream without an event")
            served.first, served.streams = first, True
            return served
        served.body = await answer.whole(MAX_ANSWER_BYTES)
        exchange.first_byte_ns = self._clock.now_ns()
        if exchange.endpoint is not None and answer.status == 200:
            served.json = whole_object(served.body)
        return served

    async def _bad_status(self, upstream: Upstream, answer: Answer) -> Failed | None:
        status = answer.status
        if status < 400:
            return None
        wait_s = retry_after_s(answer.header("retry-after"), self._clock.now_ns())
        if status == 429:
            failure = Failure.BUSY
        elif status in _RETRY_STATUS:
            failure = Failure.STATUS
        elif status in (401, 403) and (upstream.target.api_key_env or upstream.target.api_key_file):
            failure = Failure.CREDENTIALS
        else:
            return None
        if wait_s:
            upstream.back_off(wait_s)
        body = await answer.whole(MAX_ERROR_BYTES)
        # A target that refuses our key may quote it: its words stay here.
        body = b"" if failure is Failure.CREDENTIALS else body
        headers = tuple(answer.headers) if body else ()
        return Failed(failure=failure, message=f"status {status}", status=status, headers=headers, body=body, wait_s=wait_s)

    def _fallback(self, exchange: Exchange) -> Reply | None:
        """What a route serves when no target can: the safe answer to this very request, else its template."""
        if exchange.off or not can_answer(exchange):
            return None
        if exchange.route.cache_safe_answers and not exchange.asked.stream:
            kept = self.safe_answers.get(self.safe_key(exchange))
            if kept is not None:
                exchange.changed("fallback:safe-answer")
                return Reply(status=200, headers=JSON, body=kept)
        if exchange.route.template:
            exchange.changed("fallback:template")
            return template_reply(exchange, self._clock)
        return None

    @staticmethod
    def safe_key(exchange: Exchange) -> bytes:
        """Identity of the request for the safe answers."""
        tenant = exchange.dimensions.get("tenant", ("",))[0]
        return SafeAnswers.key(exchange.route.name, exchange.application, tenant, exchange.user, exchange.outgoing())


def outgoing_body(exchange: Exchange, target: Target) -> bytes:
    """The body for `target`: with its model, where it names one.

    Raises:
        UpstreamError: it cannot be written with another model.
    """
    if exchange.endpoint is None or not target.model or exchange.json.get("model") == target.model:
        return exchange.outgoing()
    exchange.changed(f"model:{target.model}")
    try:
        return orjson.dumps(exchange.json | {"model": target.model})
    except orjson.JSONEncodeError as error:
        raise UpstreamError(Failure.GARBAGE, "the request is nested too deeply to be changed") from error


def whole_object(body: bytes) -> Json:
    """The object that an answer spells.

    Raises:
        UpstreamError: it spells none.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UpstreamError(Failure.GARBAGE, "an answer that is not JSON") from error
    if not isinstance(value, dict):
        raise UpstreamError(Failure.GARBAGE, "an answer that is not a JSON object")
    return value


_REASONS = {
    Failure.BUSY: Reason.UPSTREAM_BUSY,
    Failure.SATURATED: Reason.SATURATED,
    Failure.TIMEOUT: Reason.UPSTREAM_TIMEOUT,
}


def _told(exchange: Exchange, failed: Failed) -> Reply:
    """The last failure for the client: in the target's own words where it had some."""
    reason = _REASONS.get(failed.failure, Reason.UPSTREAM_FAILED)
    default_s = 1.0 if failed.failure in (Failure.BUSY, Failure.SATURATED) else 0.0
    refusal = Refusal(reason, f"no target could answer: {failed.message}", failed.wait_s or default_s)
    reply = exchange.refuse(refusal)
    if not failed.body:
        return reply
    kept = tuple((n, v) for n, v in failed.headers if n in ("content-type", "retry-after", "retry-after-ms", "x-should-retry"))
    return Reply(status=failed.status, headers=kept, body=failed.body)
