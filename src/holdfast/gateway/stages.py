"""What happens to a request before a target is asked: one function a stage, in the order of `STAGES`.

A stage writes what it finds into the exchange. It returns None to go on, or the reply that ends it here.
"""

import random
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import orjson

from holdfast.context.redact import Redactor
from holdfast.control.effective import NOTHING
from holdfast.control.snapshot import GuardMode, GuardPlace, Prompt, RateLimit
from holdfast.core.clock import Clock
from holdfast.core.ids import random_id
from holdfast.gateway.answers import can_answer, template_reply
from holdfast.gateway.compiled import ROUTE_HEADER
from holdfast.gateway.dialects.protocol import Json
from holdfast.gateway.exchange import Enforced, Exchange, Reply, Ruling, Verdict
from holdfast.gateway.guarding import Guarding, Ready
from holdfast.gateway.guards.protocol import Action
from holdfast.gateway.limits import Excess, Limits
from holdfast.gateway.refusal import Reason, Refusal
from holdfast.gateway.switch import Position

MAX_VALUE = 256
_TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$")
_HEADERS = {
    "x-holdfast-tenant": "tenant",
    "x-holdfast-prompt-version": "prompt.version",
    "x-holdfast-index-version": "index.version",
    "x-holdfast-region": "region",
    "x-holdfast-language": "language",
}
SOURCES_HEADER = "x-holdfast-document-sources"
USER_HEADER = "x-holdfast-user"
MAX_SOURCES = 32


class Desk(msgspec.Struct, kw_only=True):
    """What the stages need beside the exchange."""

    clock: Clock
    guarding: Guarding
    limits: Limits
    redactor: Redactor
    switch: Position = Position.ON
    keyless: bool = True
    """Whether a gateway without virtual keys serves everybody, which is for loopback only."""


Stage = Callable[[Exchange, Desk], Reply | None]


def authenticate(exchange: Exchange, desk: Desk) -> Reply | None:
    """Whose request it is."""
    headers = exchange.request.headers
    scheme, _, token = headers.get("authorization", "").partition(" ")
    shown = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key") or headers.get("api-key") or ""
    key = exchange.compiled.key(shown)
    if key is None or (not exchange.compiled.needs_key and not desk.keyless):
        return exchange.refuse(Refusal(Reason.UNAUTHENTICATED, "the gateway does not know this key"))
    exchange.key = key
    exchange.application = key.application
    return None


def read(exchange: Exchange, desk: Desk) -> Reply | None:
    """What the body says, where the call is one that is understood."""
    endpoint = exchange.endpoint
    if endpoint is None:
        return None
    headers = exchange.request.headers
    if headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        return exchange.refuse(Refusal(Reason.BAD_REQUEST, "send the body without a content-encoding"))
    try:
        value: Any = orjson.loads(exchange.request.body)
    except orjson.JSONDecodeError as error:
        return exchange.refuse(Refusal(Reason.BAD_REQUEST, f"the body is not JSON: {error}"))
    if not isinstance(value, dict):
        return exchange.refuse(Refusal(Reason.BAD_REQUEST, "the body is not a JSON object"))
    exchange.parsed(value)
    exchange.asked = endpoint.asked(value)
    return None


def resolve(exchange: Exchange, desk: Desk) -> Reply | None:
    """Which route it is for, and the dimensions by which leases, guards, breakers and telemetry know it."""
    named = exchange.request.headers.get(ROUTE_HEADER, "")
    route = exchange.compiled.route_of(exchange.key, named, exchange.asked.model)
    if route is None:
        if named and named in exchange.compiled.routes:
            return exchange.refuse(Refusal(Reason.ROUTE_FORBIDDEN, f"this key may not use the route {named[:80]}"))
        what = f"route {named[:80]}" if named else f"model {exchange.asked.model[:80]!r}"
        return exchange.refuse(Refusal(Reason.ROUTE_UNKNOWN, f"no route of this gateway serves the {what}"))
    exchange.route = route
    _identify(exchange, desk)
    _trace(exchange)
    return None


def _identify(exchange: Exchange, desk: Desk) -> None:
    headers, key = exchange.request.headers, exchange.key
    found = {"route": exchange.route.name, "model": exchange.asked.model}
    found["service.name"] = exchange.application or "gateway"
    for header, dimension in _HEADERS.items():
        if header in headers:
            found[dimension] = headers[header]
    if key.tenant:
        found["tenant"] = key.tenant
    user = headers.get(USER_HEADER, "") or exchange.asked.user
    # As telemetry will show it: a lease on a user is written by somebody who has seen only that.
    exchange.user = desk.redactor.text(user[:MAX_VALUE]) if user else ""
    found["user"] = exchange.user
    prompt = exchange.compiled.prompts.get(exchange.route.prompt)
    if prompt is not None:
        found["prompt.version"] = prompt.current
    dimensions: dict[str, tuple[str, ...]] = {name: (value[:MAX_VALUE],) for name, value in found.items() if value}
    if tools := tuple([t[:MAX_VALUE] for t in exchange.asked.tools if t][:MAX_SOURCES]):
        dimensions["tool"] = tools
    if sources := headers.get(SOURCES_HEADER, ""):
        values = tuple([s.strip()[:MAX_VALUE] for s in sources.split(",") if s.strip()][:MAX_SOURCES])
        dimensions |= {"document.source": values} if values else {}
    exchange.dimensions = dimensions


def _trace(exchange: Exchange) -> None:
    known = _TRACEPARENT.match(exchange.request.headers.get("traceparent", ""))
    if known and known[1] != "0" * 32 and known[2] != "0" * 16:
        exchange.trace_id, exchange.trace_parent = known[1], known[2]
    else:
        exchange.trace_id = f"{random.getrandbits(128) or 1:032x}"
    exchange.span_id = f"{random.getrandbits(64) or 1:016x}"


def contain(exchange: Exchange, desk: Desk) -> Reply | None:
    """What the kill switch and the leases say. With the switch off nothing is changed, refused or judged."""
    if desk.switch is Position.OFF:
        exchange.off = True
        exchange.effective = NOTHING
        return None
    if desk.switch is Position.TEMPLATE:
        exchange.changed("switch:template")
        return _instead(exchange, desk, "", Refusal(Reason.ROUTE_CLOSED, "the gateway is set to answer by template only", 60))
    exchange.effective = effective = exchange.compiled.matcher.match(exchange.dimensions, desk.clock.now_ns(), exchange.user)
    if effective.block is not None:
        return exchange.refuse(Refusal(Reason.BLOCKED, "requests of this user are blocked", block_id=effective.block.block_id))
    if effective.refuse is not None:
        message = "this route is closed for the time being"
        return exchange.refuse(Refusal(Reason.ROUTE_CLOSED, message, effective.refuse.retry_after_s))
    quarantined = effective.quarantined_sources.intersection(exchange.dimensions.get("document.source", ()))
    if quarantined:
        message = f"the document source {min(quarantined)[:80]} is quarantined: retrieve without it"
        return exchange.refuse(Refusal(Reason.SOURCE_QUARANTINED, message))
    if effective.template:
        exchange.changed(f"template:{effective.template}")
        refusal = Refusal(Reason.ROUTE_CLOSED, "this call cannot be answered by template", 60)
        return _instead(exchange, desk, effective.template, refusal)
    return None


def _instead(exchange: Exchange, desk: Desk, template: str, refusal: Refusal) -> Reply:
    """The template where words can answer, else `refusal`."""
    return template_reply(exchange, desk.clock, template) if can_answer(exchange) else exchange.refuse(refusal)


def limit(exchange: Exchange, desk: Desk) -> Reply | None:
    """Who asks too much is asked to wait: a throttled user first, then user, tenant and key."""
    if exchange.off:
        return None
    rate = exchange.effective.requests_per_s
    if rate is not None:
        throttled = msgspec.structs.replace(exchange.compiled.user_limit, requests_per_s=max(rate, 1e-6), burst_s=1.0)
        holder: tuple[str, ...] = ("throttle", exchange.application, exchange.user or exchange.key.name)
        if excess := desk.limits.admit(Reason.THROTTLED, holder, throttled):
            return _too_much(exchange, excess)
    for reason, holder, bound in holders(exchange):
        if excess := desk.limits.admit(reason, holder, bound):
            return _too_much(exchange, excess)
    return None


def holders(exchange: Exchange) -> list[tuple[Reason, tuple[str, ...], RateLimit]]:
    """Who uses up limits with this request: (reason if it is too much, holder, limit)."""
    compiled = exchange.compiled
    found: list[tuple[Reason, tuple[str, ...], RateLimit]] = []
    tenant = exchange.dimensions.get("tenant", ("",))[0]
    if exchange.user:
        found.append((Reason.USER_LIMIT, ("user", exchange.application, tenant, exchange.user), compiled.user_limit))
    if tenant:
        found.append((Reason.TENANT_LIMIT, ("tenant", tenant), compiled.tenant_limit))
    if exchange.key.name:
        found.append((Reason.KEY_LIMIT, ("key", exchange.key.name), exchange.key.limit))
    return found


def _too_much(exchange: Exchange, excess: Excess) -> Reply:
    whose = excess.reason.value.partition("_")[0]
    message = f"too many {excess.what} of this {whose if whose != 'throttled' else 'user'}"
    return exchange.refuse(Refusal(excess.reason, message, excess.wait_s, random_id("blk")))


def rewrite(exchange: Exchange, desk: Desk) -> Reply | None:
    """The managed prompt, pinned parameters and disabled tools."""
    endpoint, effective = exchange.endpoint, exchange.effective
    if endpoint is None:
        return None
    body = _with_prompt(exchange)
    if effective.parameters:
        body = body | effective.parameters
        exchange.changed("parameters")
    disabled = effective.disabled_tools.intersection(exchange.asked.tools)
    if disabled:
        body = endpoint.without_tools(body, disabled)
        for name in sorted(disabled):
            exchange.changed(f"tool:{name}")
    if body is not exchange.json:
        exchange.json = body
        exchange.asked = endpoint.asked(body)
        try:
            exchange.outgoing()
        except orjson.JSONEncodeError:
            return exchange.refuse(Refusal(Reason.BAD_REQUEST, "the body is nested too deeply to be changed"))
    return None


def _with_prompt(exchange: Exchange) -> Json:
    prompt = exchange.compiled.prompts.get(exchange.route.prompt)
    if prompt is None or exchange.endpoint is None:
        return exchange.json
    leased = exchange.effective.prompts.get(prompt.name)
    text = _text_of(prompt, leased or prompt.current)
    if text is None:
        return exchange.json
    exchange.prompt_version = leased or prompt.current
    exchange.dimensions = exchange.dimensions | {"prompt.version": (exchange.prompt_version,)}
    exchange.changed(f"prompt:{prompt.name}@{exchange.prompt_version}")
    return exchange.endpoint.with_system(exchange.json, text)


def _text_of(prompt: Prompt, version: str) -> str | None:
    return next((v.text for v in prompt.versions if v.version == version), None)


def in_force(exchange: Exchange, guarding: Guarding, place: GuardPlace) -> Sequence[Ready]:
    """The guards of a place that act on their verdicts."""
    return guarding.ready(exchange, place, GuardMode.ENFORCE)


def unread(exchange: Exchange, desk: Desk) -> Reply | None:
    """A call that is passed through unread: its guards did not run. That is recorded, and one that must run refuses it."""
    closed = None
    for place in GuardPlace:
        for one in desk.guarding.ready(exchange, place):
            guard = one.armed.guard
            verdict = Verdict(
                guard=guard.name,
                kind=guard.kind,
                place=place,
                mode=one.mode,
                ruling=Ruling.NOT_RUN,
                threshold=one.threshold,
                why="a call that the gateway does not read",
            )
            exchange.verdicts.append(verdict)
            if one.mode is GuardMode.ENFORCE and not guard.fail_open:
                closed = closed or (one, verdict)
    return act(exchange, desk, *closed) if closed else None


def act(exchange: Exchange, desk: Desk, one: Ready, verdict: Verdict) -> Reply:
    """Do what a guard on the request asks for."""
    exchange.block_id = random_id("blk")
    desk.guarding.blocked(exchange, verdict)
    if verdict.ruling is not Ruling.DENY:
        enforced(exchange, verdict, Enforced.REFUSED)
        message = f"guard {verdict.guard} could not judge this request, and it may not pass unjudged"
        return exchange.refuse(Refusal(Reason.GUARD_FAILED, message, 30, exchange.block_id))
    if one.armed.action is Action.REPLACE and can_answer(exchange):
        enforced(exchange, verdict, Enforced.REPLACED)
        exchange.changed(f"guard:{verdict.guard}")
        return template_reply(exchange, desk.clock, filtered=True)
    enforced(exchange, verdict, Enforced.REFUSED)
    return exchange.refuse(Refusal(Reason.GUARD, f"the request was refused by guard {verdict.guard}", 0, exchange.block_id))


def enforced(exchange: Exchange, verdict: Verdict, action: Enforced) -> None:
    """Record beside what a guard said what was done about it."""
    at = exchange.verdicts.index(verdict)
    exchange.verdicts[at] = msgspec.structs.replace(verdict, enforced=action)


STAGES: tuple[Stage, ...] = (authenticate, read, resolve, contain, limit, rewrite)
"""The gateway as a list, as far as the guards; the guards on the request follow."""
