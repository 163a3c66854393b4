"""Answers that the gateway gives itself: templates, safe answers, and an answer of a target with something taken out."""

from collections.abc import AsyncIterator, Iterable

import orjson

from holdfast.core.clock import NS_PER_S, Clock
from holdfast.gateway.dialects.protocol import OwnAnswer, Said
from holdfast.gateway.exchange import Exchange, Reply
from holdfast.gateway.template import accepted, rendered

JSON = (("content-type", "application/json"),)
EVENTS = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))
LANGUAGE_HEADER = "x-holdfast-language"


def can_answer(exchange: Exchange) -> bool:
    """Whether words can stand in for what was asked: for a chat they can, for embeddings and unknown calls they cannot."""
    return exchange.endpoint is not None and exchange.endpoint.name == "chat"


def template_text(exchange: Exchange, name: str = "") -> str:
    """The text of the template `name`, else of the route's, in the user's language."""
    headers = exchange.request.headers
    told = headers.get(LANGUAGE_HEADER, "")
    languages = ((told.lower(),) if told else ()) + accepted(headers.get("accept-language", ""))
    variables = {key: values[0] for key, values in exchange.dimensions.items()} | {"request_id": exchange.request_id}
    return rendered(exchange.compiled.templates.get(name or exchange.route.template), languages, variables)


def template_reply(exchange: Exchange, clock: Clock, name: str = "", filtered: bool = False) -> Reply:
    """The template as an answer in the words that the client speaks, streamed where it asked for a stream."""
    own = OwnAnswer(template_text(exchange, name), filtered, clock.now_ns() // NS_PER_S)
    return own_reply(exchange, own)


def own_reply(exchange: Exchange, own: OwnAnswer) -> Reply:
    """`own` as an answer of the endpoint that was asked, which must be one that can answer in words."""
    endpoint = exchange.endpoint
    if endpoint is None:
        raise ValueError("a call that is not understood cannot be answered in words")
    exchange.said = Said(text=own.text, model=exchange.asked.model, finish_reasons=("content_filter",) if own.filtered else ())
    if exchange.asked.stream:
        return Reply(status=200, headers=EVENTS, body=_pieces(endpoint.answer_stream(exchange.asked, own)))
    return Reply(status=200, headers=JSON, body=orjson.dumps(endpoint.answer(exchange.asked, own)))


async def _pieces(frames: Iterable[bytes]) -> AsyncIterator[bytes]:
    yield b"".join(frames)
