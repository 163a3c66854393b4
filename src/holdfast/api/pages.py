"""Pages of a list over HTTP: the next one is in the `Link` header, the body stays a plain array."""

from urllib.parse import urlencode

from fastapi import Request, Response


def link_next(request: Request, response: Response, cursor: str) -> None:
    """Says where the list goes on: ``Link: <…>; rel="next"`` (RFC 8288). Nothing where it ends."""
    if cursor:
        kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
        response.headers["Link"] = f'<{request.url.path}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'
