"""What the endpoints work on, and who may call them."""

import ipaddress
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from holdfast.access.access import Access
from holdfast.access.oidc import SignOn
from holdfast.access.roles import ForbiddenError, Identity, NotSignedInError, Role
from holdfast.api.drill_runs import DrillRuns
from holdfast.api.rate import RateLimit
from holdfast.api.revealing import Revealing
from holdfast.calibration import Calibrations
from holdfast.core.clock import Clock
from holdfast.core.score import Metric
from holdfast.detect.objective import Objective
from holdfast.ledger.store import Ledger
from holdfast.live import Progress
from holdfast.probe_judging import ProbeJudging
from holdfast.telemetry.store import TelemetryStore

COOKIE = "holdfast_session"
CSRF_HEADER = "x-csrf-token"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
API_PREFIX = "/api/v1/"


class ApiContext(msgspec.Struct, frozen=True, kw_only=True):
    """The stores behind API and console, and who may ask. `secure_cookies`: browsers reach us over TLS only."""

    telemetry: TelemetryStore
    ledger: Ledger
    metrics: dict[str, Metric]
    progress: Progress
    clock: Clock
    access: Access
    rate: RateLimit
    secure_cookies: bool = False
    calibrations: Calibrations | None = None
    sign_on: SignOn | None = None
    drills: DrillRuns | None = None
    objectives: tuple[Objective, ...] = ()
    revealing: Revealing | None = None
    probe_judging: ProbeJudging | None = None


def context_of(request: Request) -> ApiContext:
    """The context that the application was made with."""
    context: ApiContext = request.app.state.context
    return context


Context = Annotated[ApiContext, Depends(context_of)]
_bearer = HTTPBearer(auto_error=False)


def authorise(
    request: Request, context: Context, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Identity:
    """Who asks: a bearer token, a browser's session, or in a demonstration anybody.

    Raises:
        NotSignedInError: nobody that is known.
        ForbiddenError: the token's scopes do not cover this, or a browser sends what no page of ours made it send.
        BackpressureError: too many requests.
    """
    identity = identify(request, context, credentials.credentials if credentials else "")
    if identity is None:
        raise NotSignedInError("sign in, or send a bearer token")
    writing = request.method not in READING
    identity.must_be_in_scope(writing, area_of(request.url.path))
    if writing and not _meant(request, identity):
        raise ForbiddenError("this request does not come from a page of this console")
    context.rate.take(identity.actor, writing)
    return identity


Who = Annotated[Identity, Depends(authorise)]


def requires(role: Role, anywhere: bool = False) -> Callable[[Identity], Identity]:
    """A dependency that lets pass who has `role` on the installation; with `anywhere`, on at least one application.

    After `anywhere` the endpoint itself asks `Identity.must` for the application in question.
    """

    def required(who: Who) -> Identity:
        if not (anywhere and who.may_anywhere(role)):
            who.must(role)
        return who

    required.role = role  # type: ignore[attr-defined] # the authorisation matrix in the documentation is read off this
    return required


def identify(request: Request, context: ApiContext, bearer: str) -> Identity | None:
    """Who sent this request, before anything is asked of their rights. A bearer token that is wrong is nobody."""
    address = request.client.host if request.client else ""
    if bearer or "authorization" in request.headers:
        return context.access.of_secret(bearer, address) if bearer else None
    cookie = request.cookies.get(COOKIE, "")
    found = context.access.of_cookie(cookie, address) if cookie else None
    if found is None and context.access.policy.demo and _host_is_loopback(request):
        return context.access.of_demo(address)
    return found


def area_of(path: str) -> str:
    """The first part of an API path, by which scopes are told apart; other paths are an area of their own."""
    return path.removeprefix(API_PREFIX).partition("/")[0] if path.startswith(API_PREFIX) else path.strip("/").partition("/")[0]


def _meant(request: Request, identity: Identity) -> bool:
    """A browser adds cookies, and reaches loopback, on behalf of any page: only ours knows the session's secret.

    Forms carry the secret as a field, which `holdfast.console.forms` checks before anything is done.
    """
    if "authorization" in request.headers:
        return True
    if not comes_from_here(request):
        return False
    if not identity.session:
        return True
    return bool(identity.csrf) and request.headers.get(CSRF_HEADER, "") == identity.csrf


def comes_from_here(request: Request) -> bool:
    """Whether the browser, where it is one, says that a page of this very host sends the request."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


def _host_is_loopback(request: Request) -> bool:
    """A name that a hostile page points at 127.0.0.1 is not loopback (DNS rebinding)."""
    name = request.url.hostname or ""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
