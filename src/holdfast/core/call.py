"""`Call`: one model, tool, retrieval or agent step of an application, whatever convention reported it.

What is here is a tree that came off the wire: `gc=False` spares the cycle collector a tenth of the pipeline's time.
"""

from enum import StrEnum
from typing import Any

import msgspec

DIMENSIONS = (
    "service.name",
    "route",
    "model",
    "prompt.version",
    "index.version",
    "tool",
    "tenant",
    "region",
    "replica",
    "language",
    "document.source",
    "user",
)
"""The dimensions of a segment, by these names in code, stores, API and console."""

MACHINES = frozenset({"replica"})
"""Dimensions that say which machine served a call. They come and go, and there may be thousands: they explain a failure where it
is diagnosed, but no stream of scores is kept of them, and a gateway cannot choose one.
"""

Dimensions = dict[str, tuple[str, ...]]
"""Dimension name → values. Most have one value; `tool` and `document.source` of a trace may have several. Never empty tuples."""


class Kind(StrEnum):
    """What a call did."""

    LLM = "llm"
    EMBEDDING = "embedding"
    RETRIEVAL = "retrieval"
    RERANK = "rerank"
    TOOL = "tool"
    AGENT = "agent"
    WORKFLOW = "workflow"
    TASK = "task"
    GUARDRAIL = "guardrail"
    EVALUATION = "evaluation"
    OTHER = "other"


class Status(StrEnum):
    """OpenTelemetry's span status."""

    UNSET = "unset"
    OK = "ok"
    ERROR = "error"


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    """A model's request to call a tool. `arguments` is the JSON text as the model wrote it."""

    name: str
    arguments: str = ""
    id: str = ""


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message of a conversation. `role` is system, user, assistant, tool or what the source said."""

    role: str
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    name: str = ""
    reasoning: str = ""


class Document(msgspec.Struct, frozen=True, gc=False):
    """A retrieved document. `score` is the retriever's own, in its own scale; `updated_ns` its last change, if told."""

    content: str = ""
    id: str = ""
    source: str = ""
    score: float | None = None
    updated_ns: int | None = None
    metadata: dict[str, str] = {}


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens. Cached ones are included in `input_tokens`, reasoning in `output_tokens`. None: not reported."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


class Evaluation(msgspec.Struct, frozen=True, gc=False):
    """Somebody else's judgement: an evaluation event, an annotation, user feedback. Scale and direction are the source's."""

    name: str
    value: float | None = None
    label: str = ""
    explanation: str = ""
    annotator: str = ""


class Guardrail(msgspec.Struct, frozen=True, gc=False):
    """What a guardrail of the application said, and what was then done (`action`): two things.

    `verdict` is allow, deny, modify, warn, escalate or error.
    """

    name: str
    verdict: str
    action: str = ""
    score: float | None = None


class Call(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One span, normalised.

    Times are nanoseconds since the Unix epoch; `trace_id` and `span_id` are lower-case hex of 32 and 16 digits.
    `attributes` and `resource` keep everything that arrived, redacted; `convention` and `mapper_version` say who read it.
    Text fields are redacted before a Call exists anywhere but in memory.
    """

    trace_id: str
    span_id: str
    parent_span_id: str = ""
    name: str = ""
    kind: Kind = Kind.OTHER
    start_ns: int = 0
    end_ns: int = 0
    status: Status = Status.UNSET
    error_type: str = ""
    error_message: str = ""

    dimensions: Dimensions = {}

    provider: str = ""
    request_model: str = ""
    response_model: str = ""
    response_id: str = ""
    system_fingerprint: str = ""
    parameters: dict[str, float | int | str | bool] = {}
    """Request parameters by their `gen_ai.request.*` suffix: temperature, top_p, max_tokens, seed, stream, …"""
    output_type: str = ""
    """The requested output: text, json, or empty when not told."""
    output_schema: str = ""
    """JSON schema text that the output should follow, where told."""

    system_instructions: str = ""
    input_messages: tuple[Message, ...] = ()
    output_messages: tuple[Message, ...] = ()
    finish_reasons: tuple[str, ...] = ()
    input_text: str = ""
    """Input of a step that is not a conversation (retrieval query, task, chain, guardrail), else empty."""
    output_text: str = ""
    """Output of a step that is not a conversation, else empty."""
    prompt_template: str = ""
    prompt_variables: dict[str, str] = {}

    documents: tuple[Document, ...] = ()
    tool_name: str = ""
    tool_arguments: str = ""
    tool_result: str = ""
    tool_definitions: tuple[str, ...] = ()
    """Names of the tools offered to the model."""

    usage: Usage = Usage()
    cost_usd: float | None = None
    time_to_first_token_ms: float | None = None
    mean_logprob: float | None = None
    cache_hit: bool | None = None
    conversation_id: str = ""

    evaluations: tuple[Evaluation, ...] = ()
    guardrails: tuple[Guardrail, ...] = ()

    convention: str = ""
    """Which convention reported it: `otel_genai`, `openinference`, `openllmetry`, `vercel_ai`, or `unknown`."""
    mapper_version: str = ""
    attributes: dict[str, Any] = {}
    resource: dict[str, Any] = {}
    scope: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Identity of a call: (trace_id, span_id)."""
        return self.trace_id, self.span_id

    @property
    def duration_ms(self) -> float:
        """Wall time of the step in milliseconds, never negative."""
        return max(self.end_ns - self.start_ns, 0) / 1e6

    @property
    def service(self) -> str:
        """The application: the dimension `service.name`."""
        return self.dimensions.get("service.name", ("unknown_service",))[0]

    @property
    def model(self) -> str:
        """The model that answered, else the one that was asked."""
        return self.response_model or self.request_model

    @property
    def answer(self) -> str:
        """Text that came out: the assistant messages, else `output_text`."""
        return "\n".join(m.content for m in self.output_messages if m.content) or self.output_text


class EvaluationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation that arrived apart from its span (OTLP log record). Refers to a span, else to a response id."""

    time_ns: int
    evaluation: Evaluation
    trace_id: str = ""
    span_id: str = ""
    response_id: str = ""
    service: str = "unknown_service"


class MetricPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One OTLP number or histogram mean, kept to correlate infrastructure with quality."""

    time_ns: int
    service: str
    name: str
    value: float
    unit: str = ""
    attributes: dict[str, str] = {}
