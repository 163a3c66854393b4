"""OpenAI's embeddings: no answer in words, so nothing that a guard on the answer could read."""

from collections.abc import Callable, Iterable

from holdfast.control.snapshot import Dialect
from holdfast.core.call import Message
from holdfast.gateway.dialects.openai_chat import ChatListener, usage_of
from holdfast.gateway.dialects.protocol import Asked, Json, OwnAnswer, Said, part_of, scalars, text_in


class OpenAIEmbeddings:
    """`POST /v1/embeddings`."""

    name = "embeddings"
    dialect = Dialect.OPENAI

    def asked(self, body: Json) -> Asked:
        """The texts to be embedded; tokens are not seen."""
        given = body.get("input")
        texts = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        words = [t for t in texts if isinstance(t, str)]
        return Asked(
            model=text_in(body.get("model")),
            messages=tuple([Message("user", t) for t in words]),
            user=text_in(body.get("user")),
            parameters=scalars(body, ("dimensions", "encoding_format")),
            unseen=("tokens",) if len(words) < len(texts) else (),
        )

    def said(self, body: Json) -> Said:
        """Model and usage."""
        return Said(model=text_in(body.get("model")), usage=usage_of(part_of(body, "usage")))

    def listener(self, asked: Asked) -> ChatListener:
        """Embeddings are never streamed."""
        return ChatListener(asked.model)

    def with_system(self, body: Json, text: str) -> Json:
        """There is no system message."""
        return body

    def without_tools(self, body: Json, names: frozenset[str]) -> Json:
        """There are no tools."""
        return body

    def with_text(self, body: Json, change: Callable[[str], str]) -> Json:
        """There is no text."""
        return body

    def answer(self, asked: Asked, own: OwnAnswer) -> Json:
        """No embedding: a made-up vector would poison whatever is searched with it."""
        return {"object": "list", "data": [], "model": asked.model, "usage": {"prompt_tokens": 0, "total_tokens": 0}}

    def answer_stream(self, asked: Asked, own: OwnAnswer) -> Iterable[bytes]:
        """Embeddings are never streamed."""
        return ()
