"""A small assistant, instrumented by somebody else, that sends its telemetry by the official exporters.

Run in a process of its own: instrumentations patch the SDKs for good. It does not know Holdfast.
`python app.py INSTRUMENTATION SDK MODEL_URL HTTP_URL GRPC_TARGET JSON_URL`
"""

import importlib
import json
import os
import sys
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

INSTRUMENTATIONS = {
    ("openinference", "openai"): "openinference.instrumentation.openai:OpenAIInstrumentor",
    ("openinference", "anthropic"): "openinference.instrumentation.anthropic:AnthropicInstrumentor",
    ("openllmetry", "openai"): "opentelemetry.instrumentation.openai:OpenAIInstrumentor",
    ("openllmetry", "anthropic"): "opentelemetry.instrumentation.anthropic:AnthropicInstrumentor",
    ("otel_genai", "openai"): "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
    ("otel_genai", "anthropic"): "opentelemetry.instrumentation.genai.anthropic:AnthropicInstrumentor",
    ("otel_genai_events", "openai"): "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
    ("otel_genai_events", "anthropic"): "opentelemetry.instrumentation.genai.anthropic:AnthropicInstrumentor",
}
SYSTEM = "You are the assistant of a shop. Answer briefly."
QUESTION = "Where is parcel 77?"
FOLLOW_UP = "And when does it arrive?"
PARAMETERS = '{"type": "object", "properties": {"parcel": {"type": "integer"}}, "required": ["parcel"]}'
TOOL_RESULT = '{"status": "in transit", "city": "Lyon"}'


def span_exporters(http: str, grpc: str, json_url: str) -> list[Any]:
    """The same spans by every transport, each to a receiver of its own."""
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http

    return [Http(endpoint=f"{http}/v1/traces"), Grpc(endpoint=grpc, insecure=True), json_exporter(json_url)]


def json_exporter(endpoint: str) -> Any:
    """The official JSON encoding; its HTTP exporter is pinned to another release of the SDK."""
    from opentelemetry.exporter.otlp.json.common.trace_encoder import encode_spans
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Json(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            request = urllib.request.Request(
                f"{endpoint}/v1/traces", encode_spans(spans).to_json().encode(), {"content-type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=20) as answer:
                assert answer.status == 200
            return SpanExportResult.SUCCESS

    return Json()


def instrument(instrumentation: str, sdk: str, http: str, grpc: str, json_url: str) -> tuple[Any, Any]:
    """Tracer and log providers, and the SDK patched."""
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": "support"})
    traces, logs = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    for exporter in span_exporters(http, grpc, json_url):
        traces.add_span_processor(BatchSpanProcessor(exporter))
    if instrumentation == "otel_genai_events":
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

        logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=f"{http}/v1/logs")))
    module, name = INSTRUMENTATIONS[instrumentation, sdk].split(":")
    getattr(importlib.import_module(module), name)().instrument(tracer_provider=traces, logger_provider=logs)
    return traces, logs


def with_openai(url: str, tool: Any) -> None:
    import openai

    client = openai.OpenAI(base_url=f"{url}/v1", api_key="not-a-key", max_retries=0)
    function = {"name": "track", "description": "Where a parcel is", "parameters": json.loads(PARAMETERS)}
    tools: Any = [{"type": "function", "function": function}]
    messages: Any = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    first = client.chat.completions.create(
        model="small-1", messages=messages, tools=tools, temperature=0.25, max_tokens=200, seed=7
    )
    asked: Any = first.choices[0].message.tool_calls or []
    messages.append(first.choices[0].message.model_dump(exclude_none=True))
    for call in asked:
        messages.append({"role": "tool", "tool_call_id": call.id, "content": tool(call.function.name, call.function.arguments)})
    client.chat.completions.create(model="small-1", messages=messages, tools=tools, logprobs=True)
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": FOLLOW_UP}]
    streamed: Any = {"model": "small-1", "messages": messages, "stream": True, "stream_options": {"include_usage": True}}
    for _ in client.chat.completions.create(**streamed):
        pass
    for _ in client.chat.completions.create(tools=tools, **streamed):
        pass
    with suppress(openai.APIStatusError):
        client.chat.completions.create(model="small-1", messages=messages)
    client.embeddings.create(model="embed-1", input=[QUESTION])


def with_anthropic(url: str, tool: Any) -> None:
    import anthropic

    client = anthropic.Anthropic(base_url=url, api_key="not-a-key", max_retries=0)
    tools: Any = [{"name": "track", "description": "Where a parcel is", "input_schema": json.loads(PARAMETERS)}]
    messages: Any = [{"role": "user", "content": QUESTION}]
    common: Any = {"model": "small-1", "system": SYSTEM, "max_tokens": 200}
    first = client.messages.create(messages=messages, tools=tools, stop_sequences=["END"], **common)
    messages.append({"role": "assistant", "content": [block.model_dump() for block in first.content]})
    uses = [block for block in first.content if block.type == "tool_use"]
    results = [{"type": "tool_result", "tool_use_id": u.id, "content": tool(u.name, json.dumps(u.input))} for u in uses]
    messages.append({"role": "user", "content": results})
    client.messages.create(messages=messages, tools=tools, **common)
    messages = [{"role": "user", "content": FOLLOW_UP}]
    for _ in client.messages.create(messages=messages, stream=True, **common):
        pass
    with client.messages.stream(messages=messages, tools=tools, **common) as stream:
        for _ in stream:
            pass
    with suppress(anthropic.APIStatusError):
        client.messages.create(messages=messages, **common)


def main() -> None:
    instrumentation, sdk, url, http, grpc, json_url = sys.argv[1:]
    place = "event_only" if instrumentation == "otel_genai_events" else "span_only"
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = place
    os.environ["TRACELOOP_TRACE_CONTENT"] = "true"
    os.environ["TRACELOOP_TELEMETRY"] = "false"
    traces, logs = instrument(instrumentation, sdk, http, grpc, json_url)
    tracer = traces.get_tracer("support")

    def tool(name: str, arguments: str) -> str:
        with tracer.start_as_current_span(f"execute_tool {name}") as span:
            span.set_attributes({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name})
            span.set_attribute("gen_ai.tool.call.arguments", arguments)
            span.set_attribute("gen_ai.tool.call.result", TOOL_RESULT)
        return TOOL_RESULT

    with tracer.start_as_current_span("POST /chat", attributes={"http.route": "/chat"}):
        (with_openai if sdk == "openai" else with_anthropic)(url, tool)
    traces.shutdown()
    logs.shutdown()


if __name__ == "__main__":
    main()
