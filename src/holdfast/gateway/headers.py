"""Which headers pass in which direction. What belongs to one connection, or to the gateway, never does."""

from collections.abc import Iterable

from holdfast.gateway.exchange import Exchange

HOP_BY_HOP = frozenset(
    {
        *(
            "connection",
            "keep-alive",
            "proxy-authenticate",
            "proxy-authorization",
            "proxy-connection",
            "te",
            "trailer",
            "trailers",
        ),
        *("transfer-encoding", "upgrade", "expect"),
    }
)
"""RFC 9110 §7.6.1: they are about one connection. Passing `transfer-encoding` on is how requests are smuggled."""
CREDENTIALS = frozenset({"authorization", "x-api-key", "api-key", "cookie"})
_OURS = frozenset({"host", "content-length", "accept-encoding", "x-request-id", "traceparent", "forwarded"})
_PREFIXES = ("x-holdfast-", "x-forwarded-")
_KEPT_BACK = frozenset({"content-length", "set-cookie", "server", "date", "x-request-id", "traceparent", "alt-svc"})
_DESCRIBES = frozenset({"content-md5", "digest", "etag", "content-digest", "repr-digest"})
"""What would be wrong of a body that was changed."""


def outgoing(exchange: Exchange, credentials: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers of the request to a target.

    The client's credentials go no further than here, unless the gateway has no keys at all and the target none of its own.
    """
    given = exchange.request.headers
    named = {part.strip().lower() for part in given.get("connection", "").split(",")}
    own = list(credentials)
    passed_through = not own and not exchange.compiled.needs_key
    found = [
        (name, value)
        for name, value in given.items()
        if name not in HOP_BY_HOP
        and name not in named
        and name not in _OURS
        and not name.startswith(_PREFIXES)
        and (passed_through or name not in CREDENTIALS)
    ]
    found += own
    found.append(("accept-encoding", "identity"))
    found.append(("x-request-id", exchange.request_id))
    if exchange.trace_id:
        found.append(("traceparent", f"00-{exchange.trace_id}-{exchange.span_id}-01"))
    return found


def incoming(headers: Iterable[tuple[str, str]], changed: bool) -> tuple[tuple[str, str], ...]:
    """Headers of a target's answer that the client gets; `changed`: its body is not what the target wrote."""
    return tuple(
        [
            (name, value)
            for name, value in headers
            if name not in HOP_BY_HOP and name not in _KEPT_BACK and not name.startswith("x-holdfast-")
            if not (changed and name in _DESCRIBES)
        ]
    )
