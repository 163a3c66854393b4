"""Puts the routers together."""

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from holdfast import __version__
from holdfast.api import health, incidents, status
from holdfast.api.context import ApiContext, authorise


def create_app(context: ApiContext) -> FastAPI:
    """The ASGI application. Health answers anybody, the rest wants the token where one is set."""
    app = FastAPI(title="Holdfast", version=__version__, docs_url=None, redoc_url=None)
    app.state.context = context
    app.include_router(health.router)
    for module in (incidents, status):
        app.include_router(module.router, dependencies=[Depends(authorise)])

    @app.get("/metrics", tags=["health"], dependencies=[Depends(authorise)])
    def exposition() -> Response:
        """Holdfast's own metrics for Prometheus."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app
