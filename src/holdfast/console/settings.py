"""One's password, users, tokens, applications."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from holdfast.access.access import TokenOrder
from holdfast.access.roles import Identity, Role
from holdfast.api.context import Context
from holdfast.api.monitoring import download
from holdfast.console.forms import Form, SignedForm
from holdfast.console.incidents import seen_services
from holdfast.console.page import PageRoute, Viewer, back, render
from holdfast.core.errors import InputError
from holdfast.report.monitoring import Kind

router = APIRouter(route_class=PageRoute)


@router.get("/settings")
def show_settings(request: Request, context: Context, who: Viewer) -> Response:
    """What may be seen depends on the role."""
    return _page(request, context, who)


@router.post("/settings/password")
def set_password(context: Context, who: Viewer, form: SignedForm) -> Response:
    """One's own. All sessions end, this one too."""
    context.access.set_password(who, who.name, form.must("password", "The password", 256))
    return back("/login")


@router.post("/settings/users")
def add_user(context: Context, who: Viewer, form: SignedForm) -> Response:
    """Makes a local account."""
    context.access.add_user(who, form.must("name", "The name", 64), form.must("password", "The password", 256), _grant(form))
    return back("/settings")


@router.post("/settings/users/{name}")
def change_user(context: Context, who: Viewer, name: str, form: SignedForm) -> Response:
    """Roles, one a line."""
    grants = {}
    for line in form.get("grants").splitlines():
        application, _, role = line.strip().rpartition(" ")
        if line.strip() and not application:
            raise InputError(f"{line.strip()!r} is not: application role", "grants")
        if application:
            grants[application.strip()] = role
    context.access.change_user(who, name, grants, form.get("disabled") == "yes")
    return back("/settings")


@router.post("/settings/tokens")
def issue_token(request: Request, context: Context, who: Viewer, form: SignedForm) -> Response:
    """The secret is on the page that follows, and nowhere else."""
    days = form.get("days")
    if not (days.isascii() and days.isdigit() and len(days) < 5):
        raise InputError(f"{days!r} is no number of days", "days")
    order = TokenOrder(
        name=form.must("name", "The name", 64),
        grants=_grant(form),
        scopes=tuple(form.get("scopes").split()),
        lifetime_s=int(days) * 86_400,
    )
    return _page(request, context, who, context.access.issue_token(who, order).secret)


@router.post("/settings/tokens/{token_id}/revoke")
def revoke_token(context: Context, who: Viewer, token_id: str, form: SignedForm) -> Response:
    """Ends it at once."""
    context.access.revoke_token(who, token_id)
    return back("/settings")


@router.get("/settings/monitoring/{kind}")
def monitoring(who: Viewer, kind: Kind) -> Response:
    """A file for Grafana or Prometheus."""
    return download(kind)


def _grant(form: Form) -> dict[str, str]:
    return {form.must("application", "The application", 256): form.get("role")}


def _page(request: Request, context: Context, who: Identity, secret: str = "") -> Response:
    admin = who.may(Role.ADMIN)
    accounts = context.access.accounts
    return render(
        request,
        who,
        "settings.html",
        secret=secret,
        users=accounts.users() if admin else [],
        tokens=accounts.tokens() if admin else [],
        roles=[role.value for role in Role],
        services=seen_services(context, who),
    )
