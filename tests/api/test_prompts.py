from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.planes import PlaneClient, planes


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[PlaneClient]:
    with planes(tmp_path) as found:
        yield found


def publish(plane: PlaneClient, name: str = "support", **changes: Any) -> Any:
    body = {"version": "v3", "text": "Answer briefly.", "reason": "shorter"}
    return plane.post(f"/prompts/{name}/versions", {**body, **changes})


def test_a_published_version_is_in_use_and_says_who_wrote_it(plane: PlaneClient) -> None:
    assert publish(plane).json()["changes"] == ['prompt support: current: "v2" → "v3"', "prompt support: version v3 added"]
    shown = plane.get("/prompts/support").json()
    assert (shown["current"], shown["versions"][-1]["author"]) == ("v3", "user:root")
    assert plane.get("/prompts").json() == [shown]


def test_a_version_may_wait_until_it_is_rolled_out(plane: PlaneClient) -> None:
    publish(plane, use=False)
    assert plane.get("/prompts/support").json()["current"] == "v2"
    assert plane.post("/prompts/support/rollback", {"version": "v3", "reason": "now"}).status_code == 200
    assert plane.get("/prompts/support").json()["current"] == "v3"


def test_rolling_back_needs_no_version(plane: PlaneClient) -> None:
    answer = plane.post("/prompts/support/rollback", {"reason": "v2 hallucinates"})
    assert (answer.json()["changes"], answer.headers["etag"]) == (['prompt support: current: "v2" → "v1"'], '"2"')


@pytest.mark.parametrize(
    "changes",
    [{"version": "v1"}, {"version": ""}, {"version": "a b"}, {"text": ""}, {"text": " "}, {"reason": ""}, {"more": 1}],
    ids=str,
)
def test_what_makes_no_sense_is_refused(plane: PlaneClient, changes: dict[str, Any]) -> None:
    assert publish(plane, **changes).status_code == 422
    assert plane.version == 1


def test_what_there_is_not_is_not_found(plane: PlaneClient) -> None:
    assert plane.get("/prompts/gone").status_code == 404
    assert plane.post("/prompts/gone/rollback", {"reason": "r"}).status_code == 404
    assert plane.post("/prompts/support/rollback", {"reason": "r", "version": "v9"}).status_code == 404


def test_a_prompt_that_a_lease_uses_keeps_that_version(plane: PlaneClient) -> None:
    plane.apply("revert_prompt", arguments={"prompt": "support"})
    publish(plane)
    lease = plane.get("/leases").json()[0]
    assert lease["effect"] == {"kind": "use_prompt", "prompt": "support", "version": "v1"}


def test_publishing_needs_an_administrator_and_rolling_back_an_approver(plane: PlaneClient) -> None:
    approver, responder = plane.token({"*": "approver"}), plane.token({"*": "responder"})
    body = {"version": "v3", "text": "x", "reason": "r"}
    assert plane.post("/prompts/support/versions", body, headers=approver).status_code == 403
    assert plane.post("/prompts/support/rollback", {"reason": "r"}, headers=responder).status_code == 403
    assert plane.post("/prompts/support/rollback", {"reason": "r"}, headers=approver).status_code == 200
