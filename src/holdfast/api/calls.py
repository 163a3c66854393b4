"""Calls and traces: search, and the tree of one request."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from holdfast.access.roles import Role
from holdfast.api.actions import visible
from holdfast.api.context import Context, Who
from holdfast.api.documents import hit_document, trace_document
from holdfast.api.incidents import time_ns
from holdfast.api.pages import link_next
from holdfast.core.call import Kind, Status
from holdfast.core.errors import InputError, NotFoundError
from holdfast.ledger.chain import MAX_INT64
from holdfast.telemetry.search import CallQuery

SEARCH_S = 0.25
"""So long a page looks for calls. A rare word in a million of them takes longer; its next page goes on further back."""

router = APIRouter(prefix="/api/v1", tags=["calls"])

Name = Annotated[str, Query(max_length=256)]


@router.get("/calls")
def search_calls(  # noqa: PLR0913 - one parameter a filter is how FastAPI documents them
    request: Request,
    response: Response,
    context: Context,
    who: Who,
    service: Name = "",
    kind: Kind | None = None,
    status: Status | None = None,
    where: Annotated[
        list[str] | None, Query(max_length=8, description="DIMENSION=VALUE, such as route=/chat; all must hold.")
    ] = None,
    metric: Annotated[str, Query(max_length=100, description="Only calls that have a score of it.")] = "",
    score_from: Annotated[float, Query(ge=0, le=1e300)] = 0.0,
    score_to: Annotated[float, Query(ge=0, le=1e300)] = 1e300,
    failed_scorer: Annotated[str, Query(max_length=100, description="Only calls on which it failed.")] = "",
    text: Annotated[str, Query(max_length=256, description="In anything that the call said.")] = "",
    since: Annotated[str, Query(max_length=64, description="Ended at or after this time.")] = "",
    until: Annotated[str, Query(max_length=64, description="Ended before this time.")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str, Query(max_length=128)] = "",
) -> list[dict[str, Any]]:
    """Newest first. The next page is in the `Link` header, also behind a short or empty one: each ends after a quarter second."""
    found = context.telemetry.search(
        CallQuery(
            services=visible(who),
            service=service,
            kind=kind,
            status=status,
            dimensions=conditions(where or []),
            metric=metric,
            score_from=score_from,
            score_to=score_to,
            failed_scorer=failed_scorer,
            text=text,
            start_ns=time_ns(since, 0),
            end_ns=time_ns(until, MAX_INT64),
            limit=limit,
            cursor=cursor,
            budget_s=SEARCH_S,
        )
    )
    link_next(request, response, found.next)
    return [hit_document(hit) for hit in found.hits]


@router.get("/traces/{trace_id}")
def show_trace(context: Context, who: Who, trace_id: str) -> dict[str, Any]:
    """Every call of a request with its messages, documents, tools, scores, failed scorers, evaluations and labels."""
    found = context.telemetry.scored_trace(trace_id)
    if found is None or not who.may(Role.VIEWER, found.trace.service):
        raise NotFoundError(f"no trace {trace_id!r}: it may be older than the retention")
    return trace_document(found, context.telemetry.evaluations(trace_id), context.telemetry.labels(trace_id=trace_id))


def conditions(where: list[str]) -> dict[str, str]:
    """Dimension → value of ``DIMENSION=VALUE`` texts.

    Raises:
        InputError: a text is not of that form.
    """
    parts = [text.partition("=") for text in where]
    for name, sign, value in parts:
        if not (name and sign and value):
            raise InputError(f"{name + sign + value!r} is not DIMENSION=VALUE", "where")
    return {name: value for name, _, value in parts}
