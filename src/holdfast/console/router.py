"""All pages and their files, as one router."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from holdfast.console import (
    audit,
    calls,
    changes,
    control,
    drills,
    incident,
    incidents,
    metrics,
    overview,
    reveals,
    session,
    settings,
    sign_on,
)
from holdfast.core.errors import NotFoundError

STATIC: Final = Path(__file__).parent / "static"
FILES: Final = {"console.css": "text/css", "console.js": "text/javascript", "mark.svg": "image/svg+xml"}
PAGES: Final = (
    session,
    sign_on,
    overview,
    incidents,
    incident,
    calls,
    reveals,
    metrics,
    changes,
    control,
    drills,
    audit,
    settings,
)

router = APIRouter()
for _page in PAGES:
    router.include_router(_page.router)


@router.get("/static/{name}")
def static(name: str) -> Response:
    """Style, script and mark: the same for everybody, so they need no sign-in."""
    if name not in FILES:
        raise NotFoundError(f"no file {name!r}")
    return FileResponse(STATIC / name, media_type=FILES[name], headers={"Cache-Control": "no-cache"})
