"""People's labels, and what is learnt from them."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from holdfast.access.audit import Act, Audited
from holdfast.access.roles import Identity, Role
from holdfast.api.actions import visible
from holdfast.api.context import ApiContext, Context, Who, requires
from holdfast.calibration import Calibrations, calibration_document, check_metric, judged_call, lesson_document
from holdfast.core.clock import to_iso
from holdfast.core.errors import NotFoundError
from holdfast.core.label import Label

router = APIRouter(prefix="/api/v1", tags=["labels"])

Responder = Annotated[Identity, Depends(requires(Role.RESPONDER, anywhere=True))]
Short = Annotated[str, Query(max_length=256)]


class LabelBody(BaseModel):
    """A judgement of one call: does it fail by this metric?"""

    model_config = ConfigDict(extra="forbid")

    trace_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    span_id: Annotated[str, Field(pattern="^([0-9a-f]{16})?$", description="Empty: the call that answers the user.")] = ""
    metric: Annotated[str, Field(min_length=1, max_length=128)]
    failed: bool
    note: Annotated[str, Field(max_length=1_000)] = ""
    person: Annotated[str, Field(max_length=128, description="Who said so, where a program speaks for somebody.")] = ""


class CalibrationBody(BaseModel):
    """What to learn: one metric of an application, or all that have labels."""

    model_config = ConfigDict(extra="forbid")

    application: Annotated[str, Field(min_length=1, max_length=256)]
    metric: Annotated[str, Field(max_length=128)] = ""


@router.post("/labels", status_code=201)
def add_label(context: Context, who: Responder, body: LabelBody) -> dict[str, Any]:
    """Labels are only added: a later one of the same call and metric counts instead."""
    check_metric(context.metrics, body.metric)
    call = judged_call(context.telemetry, body.trace_id, body.span_id)
    if not who.may(Role.VIEWER, call.service):
        raise NotFoundError(f"no call {body.trace_id}/{body.span_id}")
    who.must(Role.RESPONDER, call.service)
    label = Label(
        trace_id=call.trace_id,
        span_id=call.span_id,
        metric=body.metric,
        failed=body.failed,
        actor=f"{who.actor}/{body.person}" if body.person else who.actor,
        time_ns=context.clock.now_ns(),
        service=call.service,
        note=body.note,
    )
    context.telemetry.append_labels([label])
    context.access.note(
        who,
        Audited(
            type=Act.CALL_LABELLED,
            address=who.address,
            target=f"{label.trace_id}/{label.span_id}",
            application=call.service,
            after={"metric": label.metric, "failed": label.failed, "actor": label.actor},
        ),
    )
    return shown(label)


@router.get("/labels")
def list_labels(
    context: Context,
    who: Who,
    service: Short = "",
    metric: Short = "",
    trace_id: Annotated[str, Query(pattern="^([0-9a-f]{32})?$")] = "",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 500,
) -> list[dict[str, Any]]:
    """The last label of each call and metric, newest first."""
    seen = visible(who)
    found = context.telemetry.labels(service, metric, trace_id, limit)
    return [shown(label) for label in found if seen is None or label.service in seen]


@router.get("/calibrations")
def list_calibrations(context: Context, who: Who) -> list[dict[str, Any]]:
    """What is in force."""
    seen = visible(who)
    return [calibration_document(c) for c in _calibrations(context).in_force if seen is None or c.application in seen]


@router.post("/calibrations")
def calibrate(context: Context, who: Responder, body: CalibrationBody) -> list[dict[str, Any]]:
    """Learns from the labels, puts in force what makes scores better probabilities, and says of each metric what came of it."""
    who.must(Role.APPROVER, body.application)
    lessons = _calibrations(context).learn(body.application, body.metric, who.actor)
    for lesson in lessons:
        if lesson.calibration is not None:
            _note(context, who, lesson.application, lesson.metric, msgspec.to_builtins(lesson.calibration))
    return [lesson_document(lesson) for lesson in lessons]


@router.delete("/calibrations", status_code=204)
def forget_calibration(
    context: Context,
    who: Responder,
    application: Annotated[str, Query(min_length=1, max_length=256)],
    metric: Annotated[str, Query(min_length=1, max_length=128)],
) -> None:
    """Takes one out of force: scores are again what the scorer says."""
    who.must(Role.APPROVER, application)
    _calibrations(context).forget(application, metric)
    _note(context, who, application, metric, None)


def shown(label: Label) -> dict[str, Any]:
    """A label as JSON values."""
    plain: dict[str, Any] = msgspec.to_builtins(label)
    plain["time"] = to_iso(plain.pop("time_ns"))
    return plain


def _calibrations(context: ApiContext) -> Calibrations:
    if context.calibrations is None:
        raise NotFoundError("this server learns no calibrations")
    return context.calibrations


def _note(context: ApiContext, who: Identity, application: str, metric: str, after: Any) -> None:
    act = Audited(type=Act.SCORES_CALIBRATED, address=who.address, target=metric, application=application, after=after)
    context.access.note(who, act)
