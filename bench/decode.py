"""Decoding and mapping: microseconds per 2.3 kB LLM span on one core, by convention, encoding and redaction.

Also the speed of the journal's codec. Run: python bench/decode.py [--spans N]
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from holdfast.context.redact import RedactionPolicy, Redactor
from holdfast.ingest.otlp import Encoding, decode_traces
from holdfast.ingest.record import decode_record, encode_record

WORDS = (
    "the",
    "parcel",
    "left",
    "our",
    "warehouse",
    "on",
    "monday",
    "and",
    "carrier",
    "says",
    "that",
    "it",
    "will",
    "arrive",
    "before",
)


class Plain:
    """No redaction: what is measured is decoding and mapping alone."""

    def text(self, text: str) -> str:
        """As it is."""
        return text

    def value(self, value: Any) -> Any:
        """As it is."""
        return value


def prose(seed: int, words: int) -> str:
    """Made-up text, another for every seed."""
    return " ".join(WORDS[(seed * 7 + i * i) % len(WORDS)] for i in range(words))


def otel_genai(i: int) -> dict[str, Any]:
    """A chat span of OTel GenAI 1.37 and later."""
    asked = [
        {"role": "system", "parts": [{"type": "text", "content": prose(1, 110)}]},
        {"role": "user", "parts": [{"type": "text", "content": prose(i, 60)}]},
    ]
    said = [{"role": "assistant", "parts": [{"type": "text", "content": prose(i + 1, 120)}], "finish_reason": "stop"}]
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 512,
        "gen_ai.response.model": "gpt-4o-mini-2026-05",
        "gen_ai.response.id": f"chatcmpl-{i:08d}",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 200 + i % 50,
        "gen_ai.usage.output_tokens": 80,
        "gen_ai.input.messages": orjson.dumps(asked).decode(),
        "gen_ai.output.messages": orjson.dumps(said).decode(),
        "gen_ai.conversation.id": f"conv-{i % 97}",
        "server.address": "api.openai.com",
        "server.port": 443,
        "user.id": f"u{i % 300}",
        "http.route": "/chat",
        "holdfast.prompt.version": "7",
    }


def openinference(i: int) -> dict[str, Any]:
    """A chat span of OpenInference."""
    return {
        "openinference.span.kind": "LLM",
        "llm.model_name": "gpt-4o-mini",
        "llm.provider": "openai",
        "llm.system": "openai",
        "llm.invocation_parameters": '{"model":"gpt-4o-mini","temperature":0.2,"max_tokens":512}',
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": prose(1, 80),
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.content": prose(i, 50),
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": prose(i + 1, 60),
        "llm.token_count.prompt": 200,
        "llm.token_count.completion": 80,
        "llm.token_count.total": 280,
        "input.value": prose(i, 50),
        "input.mime_type": "text/plain",
        "output.value": prose(i + 1, 60),
        "session.id": f"s{i % 97}",
        "user.id": f"u{i % 300}",
        "metadata": '{"tenant":"acme","route":"/chat","index_version":"3"}',
    }


def openllmetry(i: int) -> dict[str, Any]:
    """A chat span of OpenLLMetry."""
    return {
        "llm.request.type": "chat",
        "gen_ai.system": "OpenAI",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": prose(1, 110),
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": prose(i, 60),
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": prose(i + 1, 120),
        "gen_ai.completion.0.finish_reason": "stop",
        "gen_ai.usage.prompt_tokens": 200,
        "gen_ai.usage.completion_tokens": 80,
        "llm.usage.total_tokens": 280,
        "llm.is_streaming": False,
        "gen_ai.response.model": "gpt-4o-mini-2026-05",
        "traceloop.workflow.name": "support",
        "traceloop.entity.path": "answer",
        "traceloop.association.properties.tenant": "acme",
        "traceloop.association.properties.user_id": f"u{i % 300}",
        "llm.headers": "None",
    }


def value_of(value: Any) -> AnyValue:
    """A Python value as an AnyValue."""
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, list):
        whole = AnyValue()
        whole.array_value.values.extend(value_of(v) for v in value)
        return whole
    return AnyValue(string_value=value)


def request(shape: Callable[[int], dict[str, Any]], spans: int) -> ExportTraceServiceRequest:
    """One export request."""
    whole = ExportTraceServiceRequest()
    group = whole.resource_spans.add()
    group.resource.attributes.append(KeyValue(key="service.name", value=AnyValue(string_value="support")))
    scoped = group.scope_spans.add()
    scoped.scope.name = "bench"
    for i in range(spans):
        start = 1_760_000_000_000_000_000 + i * 1_000_000
        span = scoped.spans.add(
            trace_id=(i + 1).to_bytes(16), span_id=(i + 1).to_bytes(8), parent_span_id=b"parentid", name="chat", kind=3
        )
        span.start_time_unix_nano, span.end_time_unix_nano = start, start + 900_000_000
        span.attributes.extend(KeyValue(key=k, value=value_of(v)) for k, v in shape(i).items())
    return whole


def as_json(whole: ExportTraceServiceRequest) -> bytes:
    """The same as OTLP/JSON, with other ids."""
    document = MessageToDict(whole)
    for span in document["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for key, digits in (("traceId", 32), ("spanId", 16), ("parentSpanId", 16)):
            span[key] = f"{abs(hash(span[key])) + 1:0{digits}x}"[-digits:]
    return orjson.dumps(document)


def best_us(work: Callable[[], object], per: int, rounds: int = 5) -> float:
    """The least CPU time of some rounds, in microseconds per item."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times) / per * 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=2000)
    spans = parser.parse_args().spans
    real = Redactor(RedactionPolicy(), b"only-for-the-bench-0123456789abcdef")
    print(f"{'convention':14} {'bytes/span':>10} {'protobuf':>9} {'redacted':>9} {'JSON':>9}   µs per span (CPU, best of 5)")
    calls: tuple[Any, ...] = ()
    for shape in (otel_genai, openinference, openllmetry):
        whole = request(shape, spans)
        body, text = whole.SerializeToString(), as_json(whole)
        plain = best_us(lambda b=body: decode_traces(b, Encoding.PROTOBUF, Plain()), spans)  # type: ignore[misc]
        redacted = best_us(lambda b=body: decode_traces(b, Encoding.PROTOBUF, real), spans)  # type: ignore[misc]
        written = best_us(lambda b=text: decode_traces(b, Encoding.JSON, Plain()), spans)  # type: ignore[misc]
        print(f"{shape.__name__:14} {len(body) // spans:10} {plain:9.1f} {redacted:9.1f} {written:9.1f}")
        calls = decode_traces(body, Encoding.PROTOBUF, Plain()).records
    encoded = [encode_record(call) for call in calls]
    size = sum(map(len, encoded)) // len(encoded)
    writing = best_us(lambda: [encode_record(call) for call in calls], len(calls))
    reading = best_us(lambda: [decode_record(data) for data in encoded], len(encoded))
    print(f"journal record of {size} bytes: encode {1e6 / writing:,.0f}/s, decode {1e6 / reading:,.0f}/s")


if __name__ == "__main__":
    main()
