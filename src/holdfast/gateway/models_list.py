"""`GET /v1/models`: the models that a key may ask for, as far as its routes name them."""

import orjson

from holdfast.control.snapshot import Dialect
from holdfast.gateway.answers import JSON
from holdfast.gateway.exchange import Exchange, Reply


def models_reply(exchange: Exchange) -> Reply | None:
    """The list in the client's words; None where a route takes any model, so that only its target knows them."""
    routes = exchange.compiled.routes_of(exchange.key)
    if not routes or any(not route.models for route in routes):
        return None
    names = list(dict.fromkeys(model for route in routes for model in route.models))
    created_s = exchange.compiled.snapshot.created_ns // 1_000_000_000
    if exchange.dialect is Dialect.ANTHROPIC:
        models = [{"type": "model", "id": n, "display_name": n, "created_at": "1970-01-01T00:00:00Z"} for n in names]
        body = {"data": models, "has_more": False, "first_id": names[0], "last_id": names[-1]}
    else:
        body = {
            "object": "list",
            "data": [{"id": n, "object": "model", "created": created_s, "owned_by": "holdfast"} for n in names],
        }
    return Reply(status=200, headers=JSON, body=orjson.dumps(body))
