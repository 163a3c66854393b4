"""A finished exchange as an OpenTelemetry span, redacted: what the gateway tells of every call that went through it.

It is written as JSON piece by piece, without objects in between: this is a tenth of what a request costs. What many calls have in
common is written once, and remembered.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from orjson import dumps

from holdfast.context.redact import Redactor
from holdfast.control.snapshot import Dialect
from holdfast.core.call import Message
from holdfast.gateway.exchange import Enforced, Exchange, Ruling, Verdict
from holdfast.ingest.any_value import json_value

SCOPE = "holdfast.gateway"
MAX_CONTENT = 20_000
"""Characters of one message that are told."""
MAX_MESSAGES = 100
_SEVERITY = {Ruling.ERROR: 4, Ruling.DENY: 3, Ruling.NOT_RUN: 2, Ruling.ALLOW: 1, Ruling.NOT_APPLICABLE: 0}
_PROVIDERS = {Dialect.OPENAI: "openai", Dialect.ANTHROPIC: "anthropic"}
_DIMENSIONS = {
    "prompt.version": "holdfast.prompt.version",
    "index.version": "holdfast.index.version",
    "tenant": "holdfast.tenant.id",
    "region": "cloud.region",
    "language": "language",
}
_COMMON = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.request.stream",
    "gen_ai.output.type",
    "http.route",
    "http.request.method",
    "http.response.status_code",
    "url.path",
    "holdfast.gateway.snapshot",
    "holdfast.gateway.target",
    "holdfast.gateway.changes",
    "holdfast.gateway.leases",
    "holdfast.gateway.attempts",
    "error.type",
    "gen_ai.response.model",
    "gen_ai.response.finish_reasons",
    "openai.response.system_fingerprint",
    *_DIMENSIONS.values(),
)
"""Attributes whose values many calls share, in the order of `_in_common`."""
_UNREMARKABLE = frozenset({Ruling.ALLOW, Ruling.NOT_APPLICABLE})
Values = dict[str, Any]
"""Attributes by name. Empty texts and lists, and None, are left out."""


def spans_of(exchange: Exchange, redactor: Redactor, content: bool) -> bytes:
    """One line of OTLP/JSON: a request with the span of the call, and one child for each guard that did not simply allow.

    `content`: with messages and answer, redacted; without, only what is measured and decided.
    """
    values = _measured(exchange)
    if content and exchange.endpoint is not None:
        values |= _content(exchange, redactor)
    attributes = [_written_once(_COMMON, _in_common(exchange)), *_guard_attributes(exchange), *_attributes(values)]
    spans = [_span(exchange, attributes)]
    spans += [_child(exchange, n, v) for n, v in enumerate(exchange.verdicts) if v.ruling not in _UNREMARKABLE]
    resource = _written_once(("service.name",), (exchange.dimensions.get("service.name", ("gateway",))[0],))
    return _LINE % (resource, b",".join(spans))


_LINE = (
    b'{"resourceSpans":[{"resource":{"attributes":[%b]},"scopeSpans":[{"scope":{"name":"'
    + SCOPE.encode()
    + b'"},"spans":[%b]}]}]}'
)
_SPAN = (
    b'{"traceId":"%b","spanId":"%b","parentSpanId":"%b","name":%b,"kind":%d,"startTimeUnixNano":"%d","endTimeUnixNano":"%d",'
    b'"attributes":[%b],"status":{"code":%d}}'
)


@lru_cache(maxsize=512)
def _opening(key: str) -> bytes:
    return b'{"key":%b,"value":{' % dumps(key)


def _attributes(values: Values) -> list[bytes]:
    """Each attribute as JSON."""
    found: list[bytes] = []
    for key, value in values.items():
        kind = type(value)
        if kind is str:
            if value:
                found.append(b'%b"stringValue":%b}}' % (_opening(key), dumps(value)))
        elif kind is int:
            found.append(b'%b"intValue":"%d"}}' % (_opening(key), value))
        elif value or value == 0:
            found.append(_opening(key) + dumps(json_value(value))[1:] + b"}")
    return found


@lru_cache(maxsize=1_024)
def _written_once(keys: tuple[str, ...], values: tuple[Any, ...]) -> bytes:
    """These attributes as JSON, separated by commas."""
    return b",".join(_attributes(dict(zip(keys, values, strict=True))))


def _in_common(exchange: Exchange) -> tuple[Any, ...]:
    asked, said, endpoint, dimensions = exchange.asked, exchange.said, exchange.endpoint, exchange.dimensions
    return (
        endpoint.name if endpoint is not None else "",
        _PROVIDERS[exchange.dialect] if endpoint is not None else "",
        asked.model,
        True if asked.stream else None,
        asked.output_type,
        exchange.route.name,
        exchange.request.method,
        exchange.status,
        exchange.request.path,
        exchange.compiled.version,
        exchange.target,
        tuple(exchange.changes),
        tuple([lease.id for lease in exchange.effective.leases]),
        tuple([f"{a.target}:{a.failure or a.status}" for a in exchange.attempts]),
        exchange.refusal.reason.value if exchange.refusal is not None else "",
        said.model if said is not None else "",
        said.finish_reasons if said is not None else (),
        said.fingerprint if said is not None else "",
        *[dimensions[name][0] if name in dimensions else "" for name in _DIMENSIONS],
    )


def _measured(exchange: Exchange) -> Values:
    """What is of this call alone."""
    asked, said = exchange.asked, exchange.said
    values: Values = {
        "holdfast.gateway.request_id": exchange.request_id,
        "holdfast.gateway.block_id": exchange.block_id,
        "gen_ai.conversation.id": asked.conversation_id,
        "user.id": exchange.dimensions["user"][0] if "user" in exchange.dimensions else "",
    }
    if asked.tools:
        values["gen_ai.tool.definitions"] = dumps([{"name": t} for t in asked.tools]).decode()
    for name, value in asked.parameters.items():
        values[f"gen_ai.request.{name}"] = value
    if said is not None:
        usage = said.usage
        values["gen_ai.response.id"] = said.id
        values["gen_ai.usage.input_tokens"] = usage.input_tokens
        values["gen_ai.usage.output_tokens"] = usage.output_tokens
        values["gen_ai.usage.cache_read.input_tokens"] = usage.cache_read_tokens
        values["gen_ai.usage.reasoning.output_tokens"] = usage.reasoning_tokens
    if exchange.cost_usd is not None:
        values["gen_ai.usage.cost_usd"] = exchange.cost_usd
    if asked.stream and exchange.first_byte_ns:
        values["gen_ai.response.time_to_first_chunk"] = (exchange.first_byte_ns - exchange.request.started_ns) / 1e9
    return values


def _span(exchange: Exchange, attributes: Iterable[bytes]) -> bytes:
    operation = exchange.endpoint.name if exchange.endpoint is not None else "call"
    failed = exchange.status >= 400 or exchange.refusal is not None
    return _SPAN % (
        exchange.trace_id.encode(),
        exchange.span_id.encode(),
        exchange.trace_parent.encode(),
        dumps(f"{operation} {exchange.asked.model}".strip()[:200]),
        3,
        exchange.request.started_ns,
        max(exchange.ended_ns, exchange.request.started_ns),
        b",".join(filter(None, attributes)),
        2 if failed else 0,
    )


def _guard_attributes(exchange: Exchange) -> list[bytes]:
    """The worst verdict on the call itself, so that a rate of blocks has a denominator; which guards ran."""
    ran = [v for v in exchange.verdicts if v.ruling is not Ruling.NOT_APPLICABLE]
    if not ran:
        return []
    worst = max(ran, key=lambda v: (_SEVERITY[v.ruling], v.score or 0.0))
    names = tuple([v.guard for v in ran if v.ruling is not Ruling.NOT_RUN])
    return [_written_once(("holdfast.gateway.guards",), (names,)), *_verdict_attributes(worst)]


_VERDICT = (
    "gen_ai.guardrail.name",
    "gen_ai.guardrail.verdict",
    "gen_ai.guardrail.action",
    "gen_ai.guardrail.mode",
    "gen_ai.guardrail.ran",
)


def _verdict_attributes(verdict: Verdict) -> list[bytes]:
    """As `ingest` reads them. A guard that did not run is told as an error: it never looks like a pass."""
    ran = verdict.ruling is not Ruling.NOT_RUN
    said = verdict.ruling.value if ran else "error"
    action = verdict.enforced.value if verdict.enforced is not Enforced.NONE else ""
    common = _written_once(_VERDICT, (verdict.guard, said, action, verdict.mode.value, ran))
    return [common, *_attributes({"gen_ai.guardrail.score": verdict.score, "gen_ai.guardrail.reason": verdict.why})]


def _child(exchange: Exchange, number: int, verdict: Verdict) -> bytes:
    at_ns = max(exchange.ended_ns, exchange.request.started_ns)
    common = _written_once(("gen_ai.operation.name", "http.route"), ("apply_guardrail", exchange.route.name))
    return _SPAN % (
        exchange.trace_id.encode(),
        b"%016x" % ((int(exchange.span_id, 16) + number + 1) % 2**64 or 1),
        exchange.span_id.encode(),
        dumps(f"guardrail {verdict.guard}"[:200]),
        1,
        at_ns - verdict.cost_ns,
        at_ns,
        b",".join([common, *_verdict_attributes(verdict)]),
        2 if verdict.ruling is Ruling.ERROR else 0,
    )


def _content(exchange: Exchange, redactor: Redactor) -> Values:
    asked, said = exchange.asked, exchange.said
    found: Values = {}
    if asked.messages:
        found["gen_ai.input.messages"] = _written(asked.messages, redactor)
    if asked.system and not any(m.role in ("system", "developer") for m in asked.messages):
        parts = [{"type": "text", "content": redactor.text(asked.system[:MAX_CONTENT])}]
        found["gen_ai.system_instructions"] = dumps(parts).decode()
    if asked.output_schema:
        found["gen_ai.output.schema"] = asked.output_schema[:MAX_CONTENT]
    if said is not None and (said.text or said.tool_calls):
        found["gen_ai.output.messages"] = _written((Message("assistant", said.text, said.tool_calls),), redactor)
    return found


def _written(messages: tuple[Message, ...], redactor: Redactor) -> str:
    """The first and the latest messages, in OpenTelemetry's shape."""
    if len(messages) > MAX_MESSAGES:
        messages = (*messages[:2], *messages[-MAX_MESSAGES + 2 :])
    return dumps([{"role": m.role, "parts": _parts(m, redactor)} for m in messages]).decode("utf-8", "replace")


def _parts(message: Message, redactor: Redactor) -> list[Values]:
    text = redactor.text(message.content[:MAX_CONTENT]) if message.content else ""
    if message.role == "tool":
        return [{"type": "tool_call_response", "id": message.tool_call_id, "response": text}]
    parts: list[Values] = [{"type": "text", "content": text}] if text else []
    for call in message.tool_calls:
        arguments = redactor.text(call.arguments[:MAX_CONTENT])
        parts.append({"type": "tool_call", "id": call.id, "name": call.name, "arguments": arguments})
    return parts
