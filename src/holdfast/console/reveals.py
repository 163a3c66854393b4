"""One original: the page that asks why, and the page that shows it for a minute."""

from collections.abc import Iterable
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from holdfast.access.roles import Identity, Role
from holdfast.api.context import ApiContext, Context
from holdfast.api.revealing import LONGEST_REASON, Order
from holdfast.api.reveals import revealing
from holdfast.console.forms import SignedForm
from holdfast.console.page import PageRoute, Viewer, own_path, render
from holdfast.console.texts import Piece
from holdfast.context.entities import Pseudonym
from holdfast.context.visible import visible
from holdfast.core.errors import NotFoundError

router = APIRouter(route_class=PageRoute)

SHOWN_S = 60
"""For so long an original stays on the screen."""


@router.get("/reveals")
def ask(request: Request, context: Context, who: Viewer, application: str = "", pseudonym: str = "", back: str = "") -> Response:
    """Asks for the reason. Nothing is revealed yet."""
    revealing(context)
    if not who.may(Role.VIEWER, application):
        raise NotFoundError(f"No application {application!r}.")
    who.must(Role.APPROVER, application)
    asked = str(Pseudonym.parse(pseudonym))
    return render(
        request, who, "reveal.html", application=application, pseudonym=asked, back=own_path(back, "/calls"), found=None
    )


@router.post("/reveals")
def show(request: Request, context: Context, who: Viewer, form: SignedForm) -> Response:
    """Shows it, when the ledger has it that it was shown."""
    order = Order(
        application=form.must("application", "The application", 256),
        pseudonym=form.must("pseudonym", "The pseudonym", 80),
        reason=form.must("reason", "The reason", LONGEST_REASON),
    )
    found = revealing(context).reveal(who, order)
    return render(
        request,
        who,
        "reveal.html",
        application=order.application,
        pseudonym=str(found.pseudonym),
        back=own_path(form.get("back"), "/calls"),
        found=[visible(value) for value in found.values],
        seconds=SHOWN_S,
    )


def reveal_links(context: ApiContext, who: Identity, application: str, back: str, said: Iterable[Piece]) -> dict[str, str]:
    """Redaction as it is shown → where `who` can ask for its original; nothing for what the vault does not have."""
    if context.revealing is None or not who.may(Role.APPROVER, application):
        return {}
    shown = {p.text for p in said if p.kind == "redacted" and ":" in p.text}
    known = context.revealing.known(who, application, [Pseudonym.parse(text) for text in sorted(shown)])
    return {
        str(p): "/reveals?" + urlencode({"application": application, "pseudonym": str(p), "back": back}) for p in sorted(known)
    }
