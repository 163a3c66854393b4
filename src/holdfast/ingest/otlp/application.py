"""What applications themselves put on spans and resources, whatever convention their instrumentation follows."""

from typing import Any

from holdfast.ingest.otlp.convert import boolean, count, label, mapping, text
from holdfast.ingest.otlp.openinference import tree
from holdfast.ingest.otlp.table import Rule

OWN = (
    Rule("holdfast.prompt.version", "dimension.prompt.version", label),
    Rule("holdfast.index.version", "dimension.index.version", label),
    Rule("holdfast.tenant.id", "dimension.tenant", label),
    Rule("holdfast.cache.hit", "cache_hit", boolean),
)
"""Attributes of ours, where no convention has one. They come before anybody else's."""

RULES = (
    Rule("http.route", "dimension.route", label),
    Rule("cloud.region", "dimension.region", label),
    Rule("user.id", "dimension.user", label),
    Rule("enduser.id", "dimension.user", label),
    Rule("gen_ai.user", "dimension.user", label),
    Rule("gen_ai.request.user", "dimension.user", label),
    Rule("llm.user", "dimension.user", label),
    Rule("langfuse.user.id", "dimension.user", label),
    Rule("language", "dimension.language", label),
    Rule("tenant.id", "dimension.tenant", label),
    Rule("tenant", "dimension.tenant", label),
    Rule("gen_ai.prompt.version", "dimension.prompt.version", label),
    Rule("prompt.version", "dimension.prompt.version", label),
    Rule("prompt_version", "dimension.prompt.version", label),
    Rule("langfuse.prompt.version", "dimension.prompt.version", label),
    Rule("langfuse.observation.prompt.version", "dimension.prompt.version", label),
    Rule("index.version", "dimension.index.version", label),
    Rule("index_version", "dimension.index.version", label),
    Rule("session.id", "conversation_id", text),
    Rule("langfuse.session.id", "conversation_id", text),
    Rule("error.type", "error_type", text),
    Rule("http.response.status_code", "~http_status", count),
    Rule("user.feedback.score", "~feedback.score", tree),
    Rule("user_feedback.score", "~feedback.score", tree),
    Rule("feedback.score", "~feedback.score", tree),
    Rule("user.feedback", "~feedback", tree),
    Rule("user_feedback", "~feedback", tree),
    Rule("feedback", "~feedback", tree),
    Rule("user.feedback.label", "~feedback", tree),
    Rule("user.feedback.value", "~feedback", tree),
    Rule("user.feedback.thumbs", "~feedback", tree),
    Rule("user.feedback.comment", "~feedback.comment", text),
    Rule("gen_ai.evaluation.name", "~evaluation", text),
    Rule("db.system", "~db", text),
    Rule("db.system.name", "~db", text),
    Rule("db.operation", "~db.operation", text),
    Rule("db.operation.name", "~db.operation", text),
    Rule("db.vector.query.top_k", "~db.vector", count),
)

LISTS = (
    Rule("gen_ai.guardrail", "~guardrail", mapping),
    Rule("guardrail", "~guardrail", mapping),
    Rule("gen_ai.security", "~guardrail", mapping),
)

PROPERTIES = {
    "tenant": "tenant",
    "tenant_id": "tenant",
    "tenantId": "tenant",
    "tenant.id": "tenant",
    "route": "route",
    "http.route": "route",
    "index_version": "index.version",
    "indexVersion": "index.version",
    "index.version": "index.version",
    "prompt_version": "prompt.version",
    "promptVersion": "prompt.version",
    "prompt.version": "prompt.version",
    "language": "language",
    "locale": "language",
    "region": "region",
    "cloud.region": "region",
    "user_id": "user",
    "userId": "user",
    "user.id": "user",
}
"""Names in OpenInference's and Vercel's metadata and Traceloop's association properties → dimension. The first present wins."""

CONVERSATION = ("session_id", "sessionId", "session.id", "conversation_id", "conversationId", "thread_id", "threadId", "chatId")
FEEDBACK = ("user_feedback", "user.feedback", "feedback", "user_feedback_score", "user.feedback.score")

RESOURCE = {
    "cloud.region": "region",
    "holdfast.prompt.version": "prompt.version",
    "holdfast.index.version": "index.version",
    "holdfast.tenant.id": "tenant",
    "k8s.pod.name": "replica",
    "service.instance.id": "replica",
    "host.name": "replica",
}
"""Resource attribute → dimension; those of the span come first, then the first of these that is there."""


def properties(found: dict[str, Any]) -> dict[str, Any]:
    """Metadata and association properties as one flat dict; one level of nesting is spelt with dots."""
    flat: dict[str, Any] = {}
    for source in ("~metadata", "~association"):
        held = found.get(source)
        if not isinstance(held, dict):
            continue
        for key, value in held.items():
            if isinstance(value, dict):
                for inner, deep in value.items():
                    flat.setdefault(f"{key}.{inner}", deep)
            flat.setdefault(str(key), value)
    return flat
