"""Originals of what was redacted: revealed to those who may, with a reason; erased for those whose data they are."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from holdfast.access.roles import Identity, Role
from holdfast.api.context import ApiContext, Context, requires
from holdfast.api.revealing import LONGEST_REASON, Order, Revealing
from holdfast.core.clock import to_iso
from holdfast.core.errors import NotFoundError

router = APIRouter(prefix="/api/v1", tags=["reveals"])

Approver = Annotated[Identity, Depends(requires(Role.APPROVER, anywhere=True))]
Admin = Annotated[Identity, Depends(requires(Role.ADMIN, anywhere=True))]


class OriginalBody(BaseModel):
    """Which original, and why."""

    model_config = ConfigDict(extra="forbid")

    application: Annotated[str, Field(min_length=1, max_length=256)]
    pseudonym: Annotated[str, Field(max_length=80, description="Such as EMAIL_ADDRESS:3fa9c1d2.")]
    reason: Annotated[
        str, Field(max_length=LONGEST_REASON, description="Three words or more; it is kept in the ledger for ever.")
    ]
    person: Annotated[
        str, Field(max_length=128, pattern=r"^[^\x00-\x1f/]*$", description="Who asks, where a program speaks for somebody.")
    ] = ""


@router.post("/reveals")
def reveal(context: Context, who: Approver, body: OriginalBody, response: Response) -> dict[str, Any]:
    """The original of a pseudonym. The ledger knows of it, with the reason and without the value, before it leaves.

    Needs the role approver on the application, and of a token the scope `write:reveals` by name. `values` has more than one
    where two share the pseudonym by chance.
    """
    found = revealing(context).reveal(_speaking(who, body), _order(body))
    response.headers["Cache-Control"] = "no-store"
    return {
        "application": found.application,
        "pseudonym": str(found.pseudonym),
        "entity": found.pseudonym.entity.value,
        "values": list(found.values),
        "seen": to_iso(found.seen_ns),
    }


@router.post("/erasures")
def erase(context: Context, who: Admin, body: OriginalBody) -> dict[str, Any]:
    """Deletes the original of a pseudonym for good. What is redacted stays redacted; calls that come later seal anew."""
    count = revealing(context).erase(_speaking(who, body), _order(body))
    return {"application": body.application, "pseudonym": body.pseudonym, "erased": count}


def revealing(context: ApiContext) -> Revealing:
    """What reveals.

    Raises:
        NotFoundError: this server keeps no originals.
    """
    if context.revealing is None:
        raise NotFoundError("this server keeps no originals: no application seals an entity (applications.NAME.redaction)")
    return context.revealing


def _order(body: OriginalBody) -> Order:
    return Order(application=body.application, pseudonym=body.pseudonym, reason=body.reason)


def _speaking(who: Identity, body: OriginalBody) -> Identity:
    return msgspec.structs.replace(who, actor=f"{who.actor}/{body.person}") if body.person else who
