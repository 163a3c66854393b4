"""What the endpoints work on, and who may call them."""

import hmac
from typing import Annotated

import msgspec
from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from holdfast.core.clock import Clock
from holdfast.core.score import Metric
from holdfast.ledger.store import Ledger
from holdfast.live import Progress
from holdfast.telemetry.store import TelemetryStore


class ApiContext(msgspec.Struct, frozen=True, kw_only=True):
    """The stores behind the API. Without a token everybody who reaches it may ask: `Settings` allows that on loopback only."""

    telemetry: TelemetryStore
    ledger: Ledger
    metrics: dict[str, Metric]
    progress: Progress
    clock: Clock
    token: str = ""


def context_of(request: Request) -> ApiContext:
    """The context that the application was made with."""
    context: ApiContext = request.app.state.context
    return context


Context = Annotated[ApiContext, Depends(context_of)]
_bearer = HTTPBearer(auto_error=False)


def authorise(context: Context, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> None:
    """Lets a request pass when it carries the token, or when there is none."""
    given = credentials.credentials if credentials else ""
    if context.token and not hmac.compare_digest(given.encode(), context.token.encode()):
        raise HTTPException(
            401, "a bearer token is needed: server.api_token of the configuration", {"WWW-Authenticate": "Bearer"}
        )
