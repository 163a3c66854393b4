"""The control plane over HTTP: the snapshot and its stream for gateways; the desired state, the red button and the history."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, HTTPException, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from holdfast.access.roles import Identity, Role
from holdfast.api.context import requires
from holdfast.api.plane import ControlPlane, Plane, following
from holdfast.api.problems import PreconditionError
from holdfast.control.diff import desired_diff
from holdfast.control.documents import event_document, lease_document
from holdfast.control.events import event_in
from holdfast.control.feed import Feed
from holdfast.control.snapshot import Snapshot
from holdfast.control.validate import MAX_SNAPSHOT_BYTES, must_be_sound, read_desired
from holdfast.core.clock import to_iso
from holdfast.core.errors import ConflictError

MAX_BODY = 2 * MAX_SNAPSHOT_BYTES
router = APIRouter(prefix="/api/v1/control", tags=["control"], lifespan=following, max_body_size=MAX_BODY)

HEARTBEAT_S = 10.0
LONGEST_S = 300.0
"""A stream ends after five minutes: gateways come again where they were, and whether they still may is then asked anew."""
LONGEST_WAIT_S = 60.0
STREAM_HEADERS = {"X-Accel-Buffering": "no", "Cache-Control": "no-cache"}

Viewer = Annotated[Identity, Depends(requires(Role.VIEWER))]
Responder = Annotated[Identity, Depends(requires(Role.RESPONDER))]
Approver = Annotated[Identity, Depends(requires(Role.APPROVER))]
Admin = Annotated[Identity, Depends(requires(Role.ADMIN))]
IfMatch = Annotated[str, Header(max_length=64, description="ETag of the snapshot that you decided on.")]
Reason = Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"\S")]
Name = Annotated[str, Field(min_length=1, max_length=128)]


class Body(BaseModel):
    """A request's body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class DesiredBody(Body):
    """Another desired state, whole, and why."""

    desired: dict[str, Any] = Field(description="As `GET /api/v1/control/snapshot` shows it under `desired`.")
    reason: Reason


class RedButtonBody(Body):
    """Pressed: automation stops, and its leases end. Released: it may act again."""

    pressed: bool
    reason: Reason


# The snapshot, for gateways


@router.get("/snapshot", responses={304: {"description": "You have it."}})
async def show_snapshot(
    plane: Plane,
    who: Viewer,
    if_none_match: Annotated[str, Header(max_length=64)] = "",
    wait_s: Annotated[float, Query(ge=0, le=LONGEST_WAIT_S, description="How long to wait for another one.")] = 0.0,
) -> Response:
    """The snapshot that gateways run; the ETag is its version. With If-None-Match and `wait_s`, a long poll."""
    await asyncio.to_thread(plane.store.refresh)
    async with plane.feed.waiting() as waiter:
        snapshot, data = plane.feed.encoded()
        if etag(snapshot) == if_none_match.strip().removeprefix("W/") and wait_s:
            await waiter.wait(wait_s)
            snapshot, data = plane.feed.encoded()
    headers = {"ETag": etag(snapshot), "Cache-Control": "no-cache"}
    if headers["ETag"] == if_none_match.strip().removeprefix("W/"):
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type="application/json")


@router.get("/stream", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}})
async def stream(plane: Plane, who: Viewer, last_event_id: Annotated[str, Header(max_length=64)] = "") -> StreamingResponse:
    """Events `snapshot` (id: its version) and `probe` (a judged verdict). Behind Last-Event-ID nothing comes twice."""
    await asyncio.to_thread(plane.store.refresh)
    version = int(last_event_id) if last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 19 else -1
    return StreamingResponse(_events(plane.feed, version), media_type="text/event-stream", headers=STREAM_HEADERS)


async def _events(feed: Feed, version: int) -> AsyncIterator[bytes]:
    end = asyncio.get_running_loop().time() + LONGEST_S
    verdicts = feed.verdicts(0)
    number = verdicts[-1].number if verdicts else 0
    async with feed.waiting() as waiter:
        yield b"retry: 500\n\n"
        while asyncio.get_running_loop().time() < end and not feed.ended:
            snapshot, data = feed.encoded()
            if snapshot.version != version:
                version = snapshot.version
                yield b"id: %d\nevent: snapshot\ndata: %s\n\n" % (version, data)
            for verdict in feed.verdicts(number):
                number = verdict.number
                yield b"event: probe\ndata: %s\n\n" % msgspec.json.encode(verdict)
            if not await waiter.wait(HEARTBEAT_S):
                yield b": still here\n\n"


# For people


@router.get("")
def show(plane: Plane, who: Viewer) -> dict[str, Any]:
    """How things stand: the version, who is contained for how long, the red button, and what the gateways run."""
    state = plane.store.refresh()
    snapshot, now_ns = state.snapshot, plane.store.now_ns()
    gateways = plane.gateways.known()
    return {
        "version": snapshot.version,
        "changed": to_iso(snapshot.created_ns),
        "automation": snapshot.automation,
        "leases": [lease_document(lease, now_ns) for lease in snapshot.live(now_ns)],
        "gateways": [msgspec.to_builtins(gateway) for gateway in gateways],
        "converged": all(gateway.report.version == snapshot.version for gateway in gateways if not gateway.silent),
    }


@router.get("/history")
def history(
    plane: Plane, who: Viewer, limit: Annotated[int, Query(ge=1, le=500)] = 50, before: Annotated[int, Query(ge=0)] = 0
) -> list[dict[str, Any]]:
    """What happened, newest first: each change with its version, time, actor, reason, before and after."""
    return [
        {
            "version": entry.version,
            "time": to_iso(entry.event.time_ns),
            "actor": entry.event.actor,
            **event_document(event_in(entry)),
        }
        for entry in plane.history(limit, before)
    ]


@router.put("/desired")
def configure(
    plane: Plane, who: Admin, body: DesiredBody, response: Response, if_match: IfMatch = "", dry_run: bool = False
) -> dict[str, Any]:
    """Puts another desired state in place of the one at If-Match. With `dry_run` it is judged and compared only."""
    desired = read_desired(msgspec.json.encode(body.desired))
    if dry_run:
        snapshot = plane.store.refresh().snapshot
        must_be_sound(msgspec.structs.replace(snapshot, desired=desired))
        return {"version": snapshot.version, "changes": desired_diff(snapshot.desired, desired)}
    expected = expected_version(if_match)
    if expected is None:
        raise HTTPException(
            428, "If-Match with the ETag of the snapshot is needed, so that nobody's change is overwritten unseen"
        )
    try:
        changes = plane.store.configure(desired, who.actor, body.reason, expected)
    except ConflictError as error:
        raise PreconditionError(f"{error}: look at it again, then decide") from None
    return changed(plane, response, changes)


@router.post("/red-button")
def red_button(plane: Plane, who: Responder, body: RedButtonBody, response: Response) -> dict[str, Any]:
    """Stops all automation at once, and ends what it did; people's leases stay. Releasing it needs an approver."""
    if body.pressed:
        plane.store.stop_automation(who.actor, body.reason)
    else:
        who.must(Role.APPROVER)
        plane.store.resume_automation(who.actor, body.reason)
    return changed(plane, response, ("automation: stopped" if body.pressed else "automation: on",))


def changed(plane: ControlPlane, response: Response, changes: Sequence[str]) -> dict[str, Any]:
    """What a change comes to: the version that is there now, which is the ETag too, and the differences in words."""
    snapshot = plane.store.snapshot
    response.headers["ETag"] = etag(snapshot)
    return {"version": snapshot.version, "changes": list(changes)}


def etag(snapshot: Snapshot) -> str:
    """The version as an entity tag."""
    return f'"{snapshot.version}"'


def expected_version(if_match: str) -> int | None:
    """The version that an If-Match names; None where there is none, or any will do."""
    tag = if_match.strip().removeprefix("W/").strip('"')
    if tag in ("", "*"):
        return None
    return int(tag) if tag.isascii() and tag.isdigit() and len(tag) < 19 else -1
