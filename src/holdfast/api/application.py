"""Puts the routers together."""

from functools import cached_property
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from holdfast import __version__
from holdfast.api import (
    accounts,
    audit,
    calls,
    control,
    drills,
    exports,
    fleet,
    health,
    incidents,
    labels,
    leases,
    live,
    meters,
    metrics,
    monitoring,
    objectives,
    ofrep,
    problems,
    prompts,
    rates,
    reveals,
    signals,
    status,
)
from holdfast.api.actions import visible
from holdfast.api.context import ApiContext, Context, Who, authorise
from holdfast.api.headers import SecurityHeaders
from holdfast.api.plane import Meters

GUARDED = (
    incidents,
    exports,
    signals,
    calls,
    metrics,
    monitoring,
    objectives,
    rates,
    status,
    labels,
    live,
    audit,
    accounts,
    control,
    fleet,
    leases,
    prompts,
    drills,
    reveals,
)
"""Modules with a `router` that needs a sign-in."""


class _Application(FastAPI):
    """Problems in its OpenAPI are under their own media type."""

    @cached_property
    def _document(self) -> dict[str, Any]:
        return problems.describe(super().openapi())

    def openapi(self) -> dict[str, Any]:
        """OpenAPI 3.1."""
        return self._document


def create_app(context: ApiContext, *more: APIRouter) -> FastAPI:
    """The ASGI application. Health answers anybody, the rest wants a sign-in; `more` see to that themselves."""
    app = _Application(
        title="Holdfast",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        responses={"default": {"model": problems.Problem, "description": "What went wrong."}},
    )
    app.state.context = context
    app.add_middleware(SecurityHeaders, secure=context.secure_cookies)
    problems.install(app)
    app.include_router(health.router)
    for module in GUARDED:
        app.include_router(module.router, dependencies=[Depends(authorise)])
    app.include_router(ofrep.router)
    for router in more:
        app.include_router(router, include_in_schema=False)

    @app.get("/metrics", tags=["health"], response_class=Response)
    def exposition(context: Context, who: Who, control_meters: Meters) -> Response:
        """Holdfast's own metrics for Prometheus. Who may see some applications only gets what concerns those."""
        services = visible(who)
        told = meters.exposition(context, services)
        whole = generate_latest() + told + control_meters if services is None else told
        return Response(whole, media_type=CONTENT_TYPE_LATEST)

    @app.get("/api/v1/openapi.json", include_in_schema=False, dependencies=[Depends(authorise)])
    def document() -> dict[str, Any]:
        return app.openapi()

    return app
