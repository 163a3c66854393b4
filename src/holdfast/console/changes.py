"""What somebody did to the applications."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from holdfast.access.roles import Role
from holdfast.api.context import Context
from holdfast.api.signals import DAY_NS
from holdfast.console.page import PageRoute, Viewer, render

router = APIRouter(route_class=PageRoute)

MOST = 300


@router.get("/changes")
def show_changes(request: Request, context: Context, who: Viewer) -> Response:
    """The last seven days, newest first."""
    end = context.clock.now_ns() + 1
    found = [
        change
        for change in reversed(context.telemetry.changes(max(0, end - 7 * DAY_NS), end))
        if not change.service or who.may(Role.VIEWER, change.service)
    ]
    return render(request, who, "changes.html", changes=found[:MOST])
