"""What all pages have in common: who looks at it, how it is rendered, what an error looks like."""

from collections.abc import Callable, Coroutine
from functools import cache
from typing import Annotated, Any

import jinja2
from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from markupsafe import Markup

from holdfast.access.roles import Identity, NotSignedInError, Role
from holdfast.api.context import READING, ApiContext, Context, context_of, identify
from holdfast.api.problems import TITLES, log, status_of
from holdfast.console import charts, shown
from holdfast.core.errors import HoldfastError
from holdfast.core.incident import State

THEMES = ("auto", "light", "dark")
PLACES = (
    ("/", "Overview", "o"),
    ("/incidents", "Incidents", "i"),
    ("/calls", "Calls", "c"),
    ("/charts", "Metrics", "m"),
    ("/changes", "Changes", "h"),
    ("/control", "Control", "t"),
    ("/drills", "Drills", "d"),
    ("/audit", "Audit", "a"),
    ("/settings", "Settings", "s"),
)
"""Path, name, and the key that leads there behind ``g``."""


@cache
def environment() -> jinja2.Environment:
    """Templates with everything escaped, and undefined names an error."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("holdfast.console"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        ago=shown.ago,
        moment=shown.moment,
        clock=shown.clock,
        number=shown.number,
        measured=shown.measured,
        duration=shown.duration,
        words=shown.words,
        cut_percent=shown.cut_percent,
    )
    made.globals.update(
        bar=lambda share, kind="": drawing(charts.bar(share, kind)),
        stretch=lambda start, end: drawing(charts.stretch(start, end)),
        line_chart=lambda plot: drawing(charts.line_chart(plot)),
        Role=Role,
        State=State,
    )
    return made


def drawing(svg: str) -> Markup:
    """A chart as markup."""
    return Markup(svg)  # noqa: S704 - drawn by `charts`, which escapes every text in it


def render(request: Request, who: Identity | None, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page. `who` None: nobody is signed in."""
    context = context_of(request)
    theme = request.cookies.get("holdfast_theme", "auto")
    text = (
        environment()
        .get_template(template)
        .render(
            who=who,
            places=PLACES,
            path=request.url.path,
            query=dict(request.query_params),
            theme=theme if theme in THEMES else "auto",
            demo=context.access.policy.demo,
            now=context.clock.now_ns(),
            csrf=who.csrf if who else "",
            open_count=_open_count(context, who),
            **values,
        )
    )
    return HTMLResponse(text, status)


def _open_count(context: ApiContext, who: Identity | None) -> int:
    if who is None:
        return 0
    services = None if who.may(Role.VIEWER) else frozenset(who.grants)
    return context.ledger.counts(services).get(State.OPEN, 0)


def viewer(request: Request, context: Context) -> Identity:
    """Who looks at a page.

    Raises:
        NotSignedInError: nobody that is known: `PageRoute` leads to the sign-in.
        BackpressureError: too many requests.
    """
    found = identify(request, context, "")
    if found is None:
        raise NotSignedInError("sign in first")
    context.rate.take(found.actor, request.method not in READING)
    return found


Viewer = Annotated[Identity, Depends(viewer)]


class PageRoute(APIRoute):
    """Turns errors into pages, and who is not signed in to the sign-in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint with that around it."""
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await inner(request)
            except NotSignedInError:
                return _to_login(request)
            except RequestValidationError as error:
                told = "; ".join(f"{e['loc'][-1]}: {e['msg']}" for e in error.errors()[:3])
                return error_page(request, 422, told)
            except HoldfastError as error:
                status = status_of(error)
                if status >= 500:
                    log.error("page failed", path=request.url.path, error=str(error))
                return error_page(
                    request, status, str(error) if status < 500 else "A store does not answer. See the server's log."
                )

        return handler


def error_page(request: Request, status: int, detail: str) -> Response:
    """What went wrong, and where to go from here."""
    who = identify(request, context_of(request), "")
    return render(request, who, "error.html", status, title=TITLES.get(status, "Error"), code=status, detail=detail)


def back(path: str) -> RedirectResponse:
    """To a page of ours after a form was done."""
    return RedirectResponse(own_path(path, "/"), 303)


def own_path(path: str, otherwise: str) -> str:
    """`path` where it names a page of ours, else `otherwise`.

    Browsers drop tabs and line breaks from an address and read a backslash as a slash, so that "/", a tab and "/evil.example"
    name another site (https://url.spec.whatwg.org/#concept-basic-url-parser).
    """
    ours = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if ours else otherwise


def _to_login(request: Request) -> Response:
    if context_of(request).access.needs_setup():
        return RedirectResponse("/setup", 303)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    location = (
        "/login"
        if request.method not in READING or wanted == "/"
        else str(request.url_for("login").include_query_params(next=wanted))
    )
    return RedirectResponse(location if location.startswith("/") else "/login?" + location.partition("?")[2], 303)
