"""Set-up, sign-in and sign-out."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from holdfast.access.roles import NotSignedInError
from holdfast.api.context import COOKIE, ApiContext, Context, identify
from holdfast.console.forms import PlainForm, SignedForm
from holdfast.console.page import PageRoute, back, render
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import BackpressureError, HoldfastError, InputError

router = APIRouter(route_class=PageRoute)


@router.get("/login", name="login")
def show_login(request: Request, context: Context, next: str = "/") -> Response:
    """Name and password, or single sign-on."""
    if identify(request, context, ""):
        return back(next)
    if context.access.needs_setup():
        return RedirectResponse("/setup", 303)
    return render(request, None, "login.html", next=next, error="", name="")


@router.post("/login")
def log_in(request: Request, context: Context, form: PlainForm) -> Response:
    """Starts a session."""
    address = request.client.host if request.client else ""
    try:
        cookie = context.access.log_in(form.get("name"), form.get("password"), address)
    except (NotSignedInError, BackpressureError) as error:
        status = 429 if isinstance(error, BackpressureError) else 401
        return render(request, None, "login.html", status, next=form.get("next", "/"), error=str(error), name=form.get("name"))
    return _with_cookie(back(form.get("next", "/")), cookie, context)


@router.get("/setup")
def show_setup(request: Request, context: Context) -> Response:
    """The first account."""
    if not context.access.needs_setup():
        return RedirectResponse("/login", 303)
    return render(request, None, "setup.html", error="", name="")


@router.post("/setup")
def set_up(request: Request, context: Context, form: PlainForm) -> Response:
    """Makes it, and signs it in."""
    address = request.client.host if request.client else ""
    try:
        if form.get("password") != form.get("again"):
            raise InputError("the two passwords differ", "password")
        cookie = context.access.set_up(form.get("secret"), form.get("name"), form.get("password"), address)
    except HoldfastError as error:
        return render(request, None, "setup.html", 422, error=str(error), name=form.get("name"))
    return _with_cookie(back("/"), cookie, context)


@router.post("/logout")
def log_out(context: Context, form: SignedForm) -> Response:
    """Ends the session."""
    if form.who is not None:
        context.access.log_out(form.who)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, path="/", secure=context.secure_cookies, httponly=True, samesite="lax")
    return answer


def _with_cookie(answer: RedirectResponse, cookie: str, context: ApiContext) -> RedirectResponse:
    answer.set_cookie(
        COOKIE,
        cookie,
        max_age=context.access.policy.session_ns // NS_PER_S,
        path="/",
        secure=context.secure_cookies,
        httponly=True,
        samesite="lax",
    )
    return answer
