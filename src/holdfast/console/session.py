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
    return login_page(request, context, next)


@router.post("/login")
def log_in(request: Request, context: Context, form: PlainForm) -> Response:
    """Starts a session."""
    address = request.client.host if request.client else ""
    try:
        cookie = context.access.log_in(form.get("name"), form.get("password"), address)
    except (NotSignedInError, BackpressureError) as error:
        status = 429 if isinstance(error, BackpressureError) else 401
        return login_page(request, context, form.get("next", "/"), (status, str(error)), form.get("name"))
    return with_cookie(back(form.get("next", "/")), cookie, context)


@router.get("/setup")
def show_setup(request: Request, context: Context) -> Response:
    """The first administrator's account."""
    if context.access.accounts.has_administrator():
        return RedirectResponse("/login", 303)
    return _setup_page(request, context)


@router.post("/setup")
def set_up(request: Request, context: Context, form: PlainForm) -> Response:
    """Makes it, and signs it in."""
    address = request.client.host if request.client else ""
    try:
        if form.get("password") != form.get("again"):
            raise InputError("the two passwords differ", "password")
        cookie = context.access.set_up(form.get("secret"), form.get("name"), form.get("password"), address)
    except HoldfastError as error:
        return _setup_page(request, context, (422, str(error)), form.get("name"))
    return with_cookie(back("/"), cookie, context)


@router.post("/logout")
def log_out(context: Context, form: SignedForm) -> Response:
    """Ends the session."""
    if form.who is not None:
        context.access.log_out(form.who)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, path="/", secure=context.secure_cookies, httponly=True, samesite="lax")
    return answer


def login_page(
    request: Request, context: ApiContext, wanted: str, refused: tuple[int, str] = (200, ""), name: str = ""
) -> Response:
    """The sign-in, with why the last try was refused and its status."""
    status, error = refused
    return render(request, None, "login.html", status, next=wanted, error=error, name=name, sign_on=_sign_on(context))


def _setup_page(request: Request, context: ApiContext, refused: tuple[int, str] = (200, ""), name: str = "") -> Response:
    return render(request, None, "setup.html", refused[0], error=refused[1], name=name, sign_on=_sign_on(context))


def _sign_on(context: ApiContext) -> str:
    """What people call the provider; empty where there is none."""
    return context.sign_on.policy.label if context.sign_on else ""


def with_cookie(answer: RedirectResponse, cookie: str, context: ApiContext) -> RedirectResponse:
    """The same answer, that begins a session in the browser."""
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
