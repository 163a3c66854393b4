"""Single sign-on: to the provider, and back from it."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from holdfast.access.oidc import SIGN_ON_BACK, Person, SignOn
from holdfast.access.roles import NotSignedInError
from holdfast.api.context import ApiContext, Context
from holdfast.api.problems import log, status_of
from holdfast.console.page import PageRoute, back
from holdfast.console.session import login_page, with_cookie
from holdfast.core.errors import HoldfastError, NotFoundError, StoreError

router = APIRouter(route_class=PageRoute)

COOKIE = "holdfast_sign_on"
PLACE = "/login/oidc"
LASTS_S = 600
REFUSALS = {
    "access_denied": "the provider says that access was denied",
    "login_required": "the provider says that you are not signed in there",
    "temporarily_unavailable": "the provider is not available now: try again in a minute",
}
"""What the provider may say (RFC 6749, 4.1.2.1; OpenID Connect Core, 3.1.2.6), in words of ours."""


@router.get(PLACE)
def begin(request: Request, context: Context, next: str = "/") -> Response:
    """Sends the browser to the provider, not too often from one address."""
    sign_on = _there(context)
    guesser, address = _guesser(request)
    try:
        context.rate.take(guesser, writing=True)
        context.access.throttle.check(guesser, address)
        started = sign_on.begin(next)
    except HoldfastError as error:
        return _refused(request, context, error, next)
    answer = RedirectResponse(started.location, 303)
    # Lax, not strict: the provider's page sends the browser back.
    answer.set_cookie(
        COOKIE, started.cookie, max_age=LASTS_S, path=PLACE, secure=context.secure_cookies, httponly=True, samesite="lax"
    )
    return answer


@router.get(SIGN_ON_BACK)
def finish(request: Request, context: Context, state: str = "", code: str = "", error: str = "") -> Response:
    """Signs in whom the provider vouches for."""
    sign_on = _there(context)
    guesser = _guesser(request)
    try:
        if error:
            raise NotSignedInError(REFUSALS.get(error, "the provider refused") + ": begin again")
        person = _vouched(context, sign_on, (request.cookies.get(COOKIE, ""), state, code), guesser)
        cookie = context.access.log_in_subject(person.subject, person.name, person.grants, guesser[1])
    except HoldfastError as failure:
        answer = _refused(request, context, failure, "/")
    else:
        answer = with_cookie(back(person.wanted), cookie, context)
    answer.delete_cookie(COOKIE, path=PLACE, secure=context.secure_cookies, httponly=True, samesite="lax")
    return answer


def _guesser(request: Request) -> tuple[str, str]:
    """Whose tries are counted together, and the address that they come from."""
    address = request.client.host if request.client else ""
    return f"sign-on from {address}", address


def _vouched(context: ApiContext, sign_on: SignOn, told: tuple[str, str, str], guesser: tuple[str, str]) -> Person:
    """Who it is. Tries that fail are throttled like wrong passwords: each may cost a request to the provider.

    Raises:
        BackpressureError: too many failures from this address.
        NotSignedInError, UnavailableError: as `SignOn.finish`.
    """
    throttle = context.access.throttle
    throttle.check(*guesser)
    try:
        return sign_on.finish(*told)
    except NotSignedInError:
        throttle.failed(*guesser)
        raise


def _refused(request: Request, context: ApiContext, error: HoldfastError, wanted: str) -> Response:
    """The sign-in, with why. What a store of ours says is for the log, as on every page."""
    if isinstance(error, StoreError):
        raise error
    status = status_of(error)
    if status >= 500:
        log.error("single sign-on failed", error=str(error))
    return login_page(request, context, wanted, (status, str(error)))


def _there(context: ApiContext) -> SignOn:
    if context.sign_on is None:
        raise NotFoundError("single sign-on is not set up here: see sign_on in the settings")
    return context.sign_on
