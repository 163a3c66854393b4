"""What gateways and judges say: who runs which snapshot, how the breakers stand, and whether probes were good."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict, Field

from holdfast.api.context import Context
from holdfast.api.control import Body, Name, Responder, Viewer
from holdfast.api.plane import Plane
from holdfast.control.gateways import GatewayReport
from holdfast.control.probes import MAX_CALL_BYTES, ProbeAnswer, ProbeVerdict, judged_lease
from holdfast.core.errors import InputError, NotFoundError

router = APIRouter(prefix="/api/v1/control", tags=["control"])


class ReportBody(Body):
    """What a gateway runs."""

    model_config = ConfigDict(extra="allow")

    version: Annotated[int, Field(ge=0, strict=True)]
    started_ns: Annotated[int, Field(ge=0, strict=True)]


class VerdictBody(Body):
    """What a judge says of an answer that a half-open breaker let through."""

    rule: Annotated[str, Field(max_length=128)] = ""
    target: Name
    good: bool | None = Field(description="Null: nobody could judge it, and `reason` says why.")
    judge: Name
    dimensions: dict[str, str] = {}
    lease_id: Annotated[str, Field(max_length=128)] = ""
    trace_id: Annotated[str, Field(max_length=128)] = ""
    reason: Annotated[str, Field(max_length=512)] = ""
    time_ns: Annotated[int, Field(ge=0, strict=True, description="Ignored: the time of arrival counts.")] = 0
    number: Annotated[int, Field(ge=0, strict=True, description="Ignored: given on arrival.")] = 0


class AnswerBody(Body):
    """An answer to a probe of a lease, for the judge that the lease names."""

    lease_id: Name
    target: Name
    judge: Name
    trace_id: Annotated[str, Field(max_length=128)]
    call: Annotated[str, Field(max_length=MAX_CALL_BYTES * 4 // 3 + 4, description="OTLP/JSON of one span, in base64.")]
    time_ns: Annotated[int, Field(ge=0, strict=True, description="Ignored: the time of arrival counts.")] = 0


@router.get("/gateways")
def list_gateways(plane: Plane, who: Viewer) -> list[dict[str, Any]]:
    """Each gateway as it was last heard of: the version that it runs, and its breakers."""
    return [msgspec.to_builtins(gateway) for gateway in plane.gateways.known()]


@router.post("/gateways/{gateway_id}/report", status_code=204)
def report(plane: Plane, who: Viewer, gateway_id: str, body: ReportBody) -> Response:
    """A gateway says what it runs. Kept for an hour; silent after half a minute."""
    try:
        said = msgspec.convert(body.model_dump(), GatewayReport)
    except msgspec.ValidationError as error:
        raise InputError(str(error), "report") from error
    plane.gateways.report(gateway_id, said)
    return Response(status_code=204)


@router.get("/probes")
def list_probes(plane: Plane, who: Viewer, after: Annotated[int, Query(ge=0)] = 0) -> list[dict[str, Any]]:
    """The verdicts with a number above `after` that are still remembered."""
    return [msgspec.to_builtins(verdict) for verdict in plane.probes.after(after)]


@router.post("/probes", status_code=201)
def judge(plane: Plane, who: Responder, body: VerdictBody) -> dict[str, Any]:
    """A judge says whether a probe was good. Gateways hear of it at once; enough good ones end the lease on a breaker."""
    verdict = ProbeVerdict(**{**body.model_dump(), "time_ns": plane.store.now_ns()})
    kept, closed = plane.judge(verdict, who.actor)
    return {"number": kept.number, "closed": closed}


@router.post("/probes/answers", status_code=202)
def take_answer(plane: Plane, context: Context, who: Responder, body: AnswerBody) -> dict[str, int]:
    """A gateway has an answer judged by a scorer of this server. Its verdict comes as those of all judges do."""
    try:
        answer = msgspec.convert({**body.model_dump(), "time_ns": plane.store.now_ns()}, ProbeAnswer)
    except msgspec.ValidationError as error:
        raise InputError(str(error), "answer") from error
    if not judged_lease(plane.store.snapshot, answer):
        raise NotFoundError(f"no lease {answer.lease_id} waits for {answer.judge} to judge probes of {answer.target}")
    if context.probe_judging is None:
        raise NotFoundError("this server has no judges")
    waiting = context.probe_judging.ask(answer, lambda verdict: plane.judge(verdict, who.actor))
    return {"waiting": waiting}
