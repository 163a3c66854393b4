"""The prompt registry over HTTP: publish, look, roll back."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Response
from pydantic import Field

from holdfast.api.control import Admin, Approver, Body, Name, Reason, Viewer, changed
from holdfast.api.plane import Plane
from holdfast.control.prompts import prompt, published, rolled_back
from holdfast.control.snapshot import Desired, PromptVersion

router = APIRouter(prefix="/api/v1/control/prompts", tags=["control"])


class PromptBody(Body):
    """A new version of a managed prompt."""

    version: Name
    text: Annotated[str, Field(min_length=1, max_length=256 * 1024, pattern=r"\S")]
    use: bool = True
    reason: Reason


class RollbackBody(Body):
    """Another version in use; without one, the version published before."""

    version: Annotated[str, Field(max_length=128)] = ""
    reason: Reason


@router.get("")
def list_prompts(plane: Plane, who: Viewer) -> list[dict[str, Any]]:
    """The managed prompts with all their versions."""
    return [msgspec.to_builtins(found) for found in plane.store.refresh().snapshot.desired.prompts]


@router.get("/{name}")
def show_prompt(plane: Plane, who: Viewer, name: str) -> dict[str, Any]:
    """One managed prompt with all its versions."""
    found: dict[str, Any] = msgspec.to_builtins(prompt(plane.store.refresh().snapshot.desired.prompts, name))
    return found


@router.post("/{name}/versions", status_code=201)
def publish_prompt(plane: Plane, who: Admin, name: str, body: PromptBody, response: Response) -> dict[str, Any]:
    """Publishes a version. Versions never change: the same name with another text is refused."""

    def edit(desired: Desired, now_ns: int) -> Desired:
        version = PromptVersion(version=body.version, text=body.text, created_ns=now_ns, author=who.actor)
        return published(desired, name, version, body.use)

    return changed(plane, response, plane.store.edit(edit, who.actor, body.reason))


@router.post("/{name}/rollback")
def roll_back_prompt(plane: Plane, who: Approver, name: str, body: RollbackBody, response: Response) -> dict[str, Any]:
    """Puts another version in use, for everybody and for good; for a cohort and a time, use the action revert_prompt."""
    changes = plane.store.edit(lambda desired, now_ns: rolled_back(desired, name, body.version), who.actor, body.reason)
    return changed(plane, response, changes)
