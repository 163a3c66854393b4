"""The list of incidents, and what is done to several at once."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from holdfast.access.roles import Identity
from holdfast.api.actions import listed, record
from holdfast.api.context import ApiContext, Context
from holdfast.console.forms import SignedForm
from holdfast.console.page import PageRoute, Viewer, back, render
from holdfast.core.errors import InputError, TransitionError
from holdfast.core.events import IncidentAcknowledged, IncidentDeclined, IncidentEvent
from holdfast.core.incident import Severity, State
from holdfast.ledger.listing import IncidentQuery, Order

router = APIRouter(route_class=PageRoute)

PAGE = 50
MOST_AT_ONCE = 200


@router.get("/incidents")
def show_incidents(request: Request, context: Context, who: Viewer) -> Response:
    """Filters are in the address, so that a list can be sent to somebody."""
    asked = request.query_params
    query = IncidentQuery(
        states=_one(State, asked.get("state", "")),
        severities=_one(Severity, asked.get("severity", "")),
        service=asked.get("service", ""),
        assignee=asked.get("assignee", ""),
        text=asked.get("text", "")[:256],
        order=(_one(Order, asked.get("order", "")) or (Order.OPENED,))[0],
        limit=PAGE,
        cursor=asked.get("cursor", ""),
    )
    found, following = listed(context, who, query)
    kept = {name: value for name, value in asked.items() if value and name != "cursor"}
    return render(
        request,
        who,
        "incidents.html",
        incidents=found,
        next=f"/incidents?{urlencode({**kept, 'cursor': following})}" if following else "",
        here=f"/incidents?{urlencode(kept)}",
        states=[s.value for s in State],
        severities=[s.value for s in Severity],
        orders=[o.value for o in Order],
        services=seen_services(context, who),
    )


@router.post("/incidents/bulk")
def do_to_several(context: Context, who: Viewer, form: SignedForm) -> Response:
    """Acknowledges or declines those that were chosen; one that is beyond that already is left as it is."""
    chosen = form.all("pick")[:MOST_AT_ONCE]
    event: IncidentEvent
    match form.get("verb"):
        case "acknowledge":
            event = IncidentAcknowledged()
        case "decline":
            event = IncidentDeclined(reason=form.must("reason", "The reason"))
        case _:
            raise InputError("choose what to do with them", "verb")
    for incident_id in chosen:
        try:
            record(context, who, incident_id, event)
        except TransitionError:
            continue
    return back(form.get("next", "/incidents"))


def seen_services(context: ApiContext, who: Identity) -> list[str]:
    """Applications that sent calls and that `who` may see."""
    return [name for name in context.telemetry.services() if who.role(name) is not None]


def _one(kind: "type[State] | type[Severity] | type[Order]", text: str) -> tuple:  # type: ignore[type-arg]
    try:
        return (kind(text),) if text else ()
    except ValueError:
        raise InputError(f"{text!r} is none of {', '.join(kind)}", "filter") from None
