"""Forms: small bodies, fields as text, and proof that a page of ours made the browser send them."""

import hmac
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from holdfast.access.roles import ForbiddenError, Identity
from holdfast.api.context import comes_from_here
from holdfast.console.page import Viewer
from holdfast.core.errors import InputError, TooLargeError

MAX_BODY_BYTES = 64 * 1024
MAX_FIELDS = 600


class Form:
    """The fields of a form, by whom it was sent."""

    def __init__(self, fields: list[tuple[str, str]], who: Identity | None = None) -> None:
        self._fields = fields
        self.who = who

    def get(self, name: str, default: str = "") -> str:
        """The first value of a field, without blanks around it."""
        return next((value.strip() for key, value in self._fields if key == name), default)

    def all(self, name: str) -> list[str]:
        """All values of a field."""
        return [value for key, value in self._fields if key == name]

    def must(self, name: str, what: str, longest: int = 10_000) -> str:
        """A field that must be filled in.

        Raises:
            InputError: it is empty or too long; says what was meant.
        """
        value = self.get(name)
        if not value or len(value) > longest:
            raise InputError(f"{what} is missing" if not value else f"{what} is over {longest} characters", name)
        return value


async def plain_form(request: Request) -> Form:
    """A form that nobody need be signed in for.

    Raises:
        ForbiddenError: another site's page sent it.
        TooLargeError: it is over 64 KiB, or has too many fields.
    """
    if not comes_from_here(request):
        raise ForbiddenError("this form does not come from a page of this console")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise TooLargeError(f"a form has at most {MAX_BODY_BYTES} bytes")
    try:
        return Form(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError as error:
        raise InputError(str(error), "form") from None


async def signed_form(request: Request, who: Viewer) -> Form:
    """A form of a session: it carries the session's secret.

    Raises:
        ForbiddenError: it does not.
    """
    form = await plain_form(request)
    if not hmac.compare_digest(form.get("csrf").encode(), who.csrf.encode()):
        raise ForbiddenError("this form is from an earlier session: go back, reload the page and try again")
    form.who = who
    return form


PlainForm = Annotated[Form, Depends(plain_form)]
SignedForm = Annotated[Form, Depends(signed_form)]
