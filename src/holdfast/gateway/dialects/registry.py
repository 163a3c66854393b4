"""Every API call that is understood, one line each; every other path is passed through unread."""

from holdfast.control.snapshot import Dialect
from holdfast.gateway.dialects.anthropic_messages import AnthropicMessages
from holdfast.gateway.dialects.openai_chat import OpenAIChat
from holdfast.gateway.dialects.openai_embeddings import OpenAIEmbeddings
from holdfast.gateway.dialects.openai_responses import OpenAIResponses
from holdfast.gateway.dialects.protocol import Endpoint

ENDPOINTS: dict[str, Endpoint] = {
    "/v1/chat/completions": OpenAIChat(),
    "/v1/responses": OpenAIResponses(),
    "/v1/embeddings": OpenAIEmbeddings(),
    "/v1/messages": AnthropicMessages(),
}
"""Path of a POST → what is called."""


def dialect_of(path: str, header_names: frozenset[str]) -> Dialect:
    """Whose words an unknown path speaks: Anthropic's clients send their version with every request."""
    if path.startswith("/v1/messages") or "anthropic-version" in header_names:
        return Dialect.ANTHROPIC
    return Dialect.OPENAI
