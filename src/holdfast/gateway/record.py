"""A finished exchange as an OpenTelemetry span, redacted: what the gateway tells of every call that went through it."""

from typing import Any

import orjson

from holdfast.context.redact import Redactor
from holdfast.control.snapshot import Dialect
from holdfast.core.call import Message
from holdfast.gateway.exchange import Enforced, Exchange, Ruling, Verdict

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
    "user": "user.id",
}
Attribute = dict[str, Any]


def _value(value: Any) -> Attribute:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list | tuple):
        return {"arrayValue": {"values": [_value(v) for v in value]}}
    return {"stringValue": str(value)}


def _attributes(values: dict[str, Any]) -> list[Attribute]:
    found: list[Attribute] = []
    for key, value in values.items():
        kind = type(value)
        if kind is str:
            if value:
                found.append({"key": key, "value": {"stringValue": value}})
        elif kind is int:
            found.append({"key": key, "value": {"intValue": str(value)}})
        elif value or value == 0:
            found.append({"key": key, "value": _value(value)})
    return found


def spans_of(exchange: Exchange, redactor: Redactor, content: bool) -> bytes:
    """One line of OTLP/JSON: a request with the span of the call, and one child for each guard that did not simply allow.

    `content`: with messages and answer, redacted; without, only what is measured and decided.
    """
    values = _facts(exchange) | _guard_facts(exchange)
    if content and exchange.endpoint is not None:
        values |= _content(exchange, redactor)
    span = _span(exchange, values)
    children = [_child(exchange, n, v) for n, v in enumerate(exchange.verdicts) if v.ruling not in _UNREMARKABLE]
    resource = _attributes({"service.name": exchange.dimensions.get("service.name", ("gateway",))[0]})
    scope = {"scope": {"name": SCOPE}, "spans": [span, *children]}
    return orjson.dumps({"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [scope]}]})


_UNREMARKABLE = frozenset({Ruling.ALLOW, Ruling.NOT_APPLICABLE})


def _span(exchange: Exchange, values: dict[str, Any]) -> Attribute:
    operation = exchange.endpoint.name if exchange.endpoint is not None else "call"
    model = exchange.asked.model
    failed = exchange.status >= 400 or exchange.refusal is not None
    span: Attribute = {
        "traceId": exchange.trace_id,
        "spanId": exchange.span_id,
        "name": f"{operation} {model}".strip()[:200],
        "kind": 3,
        "startTimeUnixNano": str(exchange.request.started_ns),
        "endTimeUnixNano": str(max(exchange.ended_ns, exchange.request.started_ns)),
        "attributes": _attributes(values),
        "status": {"code": 2 if failed else 0},
    }
    if exchange.trace_parent:
        span["parentSpanId"] = exchange.trace_parent
    return span


def _facts(exchange: Exchange) -> dict[str, Any]:
    asked, said, usage = exchange.asked, exchange.said, exchange.said.usage if exchange.said else None
    values: dict[str, Any] = {
        "gen_ai.operation.name": exchange.endpoint.name if exchange.endpoint is not None else "",
        "gen_ai.provider.name": _PROVIDERS[exchange.dialect] if exchange.endpoint is not None else "",
        "gen_ai.request.model": asked.model,
        "http.route": exchange.route.name,
        "http.request.method": exchange.request.method,
        "http.response.status_code": exchange.status,
        "url.path": exchange.request.path,
        "holdfast.gateway.request_id": exchange.request_id,
        "holdfast.gateway.snapshot": exchange.compiled.version,
        "holdfast.gateway.target": exchange.target,
        "holdfast.gateway.changes": tuple(exchange.changes),
        "holdfast.gateway.leases": tuple([lease.id for lease in exchange.effective.leases]),
        "holdfast.gateway.block_id": exchange.block_id,
        "holdfast.gateway.attempts": tuple([f"{a.target}:{a.failure or a.status}" for a in exchange.attempts]),
        "error.type": exchange.refusal.reason.value if exchange.refusal is not None else "",
        "gen_ai.conversation.id": asked.conversation_id,
        "gen_ai.output.type": asked.output_type,
        "gen_ai.tool.definitions": orjson.dumps([{"name": t} for t in asked.tools]).decode() if asked.tools else "",
    }
    values |= {f"gen_ai.request.{name}": value for name, value in asked.parameters.items()}
    values |= {"gen_ai.request.stream": True} if asked.stream else {}
    values |= {_DIMENSIONS[name]: v[0] for name, v in exchange.dimensions.items() if name in _DIMENSIONS}
    if said is not None:
        values |= {
            "gen_ai.response.model": said.model,
            "gen_ai.response.id": said.id,
            "gen_ai.response.finish_reasons": said.finish_reasons,
            "openai.response.system_fingerprint": said.fingerprint,
        }
    if usage is not None:
        values |= {
            "gen_ai.usage.input_tokens": usage.input_tokens,
            "gen_ai.usage.output_tokens": usage.output_tokens,
            "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens,
            "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
        }
    if exchange.cost_usd is not None:
        values["gen_ai.usage.cost_usd"] = exchange.cost_usd
    if asked.stream and exchange.first_byte_ns:
        values["gen_ai.response.time_to_first_chunk"] = (exchange.first_byte_ns - exchange.request.started_ns) / 1e9
    return values


def _guard_facts(exchange: Exchange) -> dict[str, Any]:
    """The worst verdict on the call itself, so that a rate of blocks has a denominator; which guards ran."""
    ran = [v for v in exchange.verdicts if v.ruling is not Ruling.NOT_APPLICABLE]
    if not ran:
        return {}
    worst = max(ran, key=lambda v: (_SEVERITY[v.ruling], v.score or 0.0))
    names = tuple([v.guard for v in ran if v.ruling is not Ruling.NOT_RUN])
    return _verdict_values(worst) | {"holdfast.gateway.guards": names}


def _verdict_values(verdict: Verdict) -> dict[str, Any]:
    """As `ingest` reads them. A guard that did not run is told as an error: it never looks like a pass."""
    said = "error" if verdict.ruling is Ruling.NOT_RUN else verdict.ruling.value
    return {
        "gen_ai.guardrail.name": verdict.guard,
        "gen_ai.guardrail.verdict": said,
        "gen_ai.guardrail.action": verdict.enforced.value if verdict.enforced is not Enforced.NONE else "",
        "gen_ai.guardrail.score": verdict.score,
        "gen_ai.guardrail.mode": verdict.mode.value,
        "gen_ai.guardrail.reason": verdict.why,
        "gen_ai.guardrail.ran": verdict.ruling is not Ruling.NOT_RUN,
    }


def _child(exchange: Exchange, number: int, verdict: Verdict) -> Attribute:
    at_ns = max(exchange.ended_ns, exchange.request.started_ns)
    values = {"gen_ai.operation.name": "apply_guardrail", "http.route": exchange.route.name} | _verdict_values(verdict)
    return {
        "traceId": exchange.trace_id,
        "spanId": f"{(int(exchange.span_id, 16) + number + 1) % 2**64 or 1:016x}",
        "parentSpanId": exchange.span_id,
        "name": f"guardrail {verdict.guard}"[:200],
        "kind": 1,
        "startTimeUnixNano": str(at_ns - verdict.cost_ns),
        "endTimeUnixNano": str(at_ns),
        "attributes": _attributes(values),
        "status": {"code": 2 if verdict.ruling is Ruling.ERROR else 0},
    }


def _content(exchange: Exchange, redactor: Redactor) -> dict[str, Any]:
    asked, said = exchange.asked, exchange.said
    found: dict[str, Any] = {}
    if asked.messages:
        found["gen_ai.input.messages"] = _written(asked.messages, redactor)
    if asked.system and not any(m.role in ("system", "developer") for m in asked.messages):
        parts = [{"type": "text", "content": redactor.text(asked.system[:MAX_CONTENT])}]
        found["gen_ai.system_instructions"] = orjson.dumps(parts).decode()
    if asked.output_schema:
        found["gen_ai.output.schema"] = asked.output_schema[:MAX_CONTENT]
    if said is not None and (said.text or said.tool_calls):
        found["gen_ai.output.messages"] = _written((Message("assistant", said.text, said.tool_calls),), redactor)
    return found


def _written(messages: tuple[Message, ...], redactor: Redactor) -> str:
    """The first and the latest messages, in OpenTelemetry's shape."""
    if len(messages) > MAX_MESSAGES:
        messages = (*messages[:2], *messages[-MAX_MESSAGES + 2 :])
    return orjson.dumps([{"role": m.role, "parts": _parts(m, redactor)} for m in messages]).decode("utf-8", "replace")


def _parts(message: Message, redactor: Redactor) -> list[Attribute]:
    text = redactor.text(message.content[:MAX_CONTENT]) if message.content else ""
    if message.role == "tool":
        return [{"type": "tool_call_response", "id": message.tool_call_id, "response": text}]
    parts: list[Attribute] = [{"type": "text", "content": text}] if text else []
    for call in message.tool_calls:
        arguments = redactor.text(call.arguments[:MAX_CONTENT])
        parts.append({"type": "tool_call", "id": call.id, "name": call.name, "arguments": arguments})
    return parts
