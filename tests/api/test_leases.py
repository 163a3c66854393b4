from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.act.registry import ACTIONS
from tests.act.examples import ARGUMENTS
from tests.api.planes import PlaneClient, planes


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[PlaneClient]:
    with planes(tmp_path) as found:
        yield found


def block(plane: PlaneClient, **changes: Any) -> Any:
    return plane.apply("block_user", **{"arguments": {}, "scope": {"user": "mallory"}, "reason": "it scrapes", **changes})


def test_the_actions_describe_themselves(plane: PlaneClient) -> None:
    told = plane.get("/actions").json()
    assert [action["name"] for action in told] == list(ACTIONS)
    shift = next(action for action in told if action["name"] == "shift_traffic")
    assert shift["needs"] == ["route"]
    assert "weights" in str(shift["arguments"])


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_every_action_can_be_planned_applied_and_undone(plane: PlaneClient, name: str) -> None:
    arguments, scope = ARGUMENTS[name]
    wanted: dict[str, Any] = {"arguments": arguments, "scope": scope, "ttl_s": 60, "owner": "inc_1", "reason": "r"}
    plan = plane.post("/leases/plan", {"action": name, **wanted}).json()
    assert plan["plan_hash"]
    assert plane.version == 1
    applied = plane.apply(name, **wanted, plan_hash=plan["plan_hash"])
    assert applied.status_code == 201
    assert plane.post(f"/leases/{applied.json()['id']}/revoke", {"reason": "over"}).status_code == 200
    assert plane.get("/snapshot").json()["leases"] == []


def test_an_applied_action_is_a_lease_with_who_why_and_how_long(plane: PlaneClient) -> None:
    answer = plane.apply()
    lease = answer.json()
    assert (lease["actor"], lease["owner"], lease["left_s"], lease["before"]) == (
        "user:root",
        "inc_1",
        600.0,
        "refund may be called",
    )
    assert answer.headers["etag"] == '"2"'
    assert plane.get(f"/leases/{lease['id']}").json() == lease
    assert plane.get("/leases").json() == [lease]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"scope": {}}, 422),
        ({"scope": {"colour": "red"}}, 422),
        ({"scope": {"route": 7}}, 422),
        ({"action": "erase"}, 422),
        ({"arguments": {}}, 422),
        ({"arguments": {"tool": "refund", "more": 1}}, 422),
        ({"arguments": []}, 422),
        ({"ttl_s": 0}, 422),
        ({"ttl_s": 1e12}, 422),
        ({"ttl_s": "for ever"}, 422),
        ({"share": 0}, 422),
        ({"share": 1.5}, 422),
        ({"owner": ""}, 422),
        ({"reason": " "}, 422),
        ({"more": 1}, 422),
        ({"reach": {"users": -1, "traffic": 0}}, 422),
        ({"automatic": True}, 409),
        ({"plan_hash": "0" * 64}, 409),
    ],
    ids=str,
)
def test_what_makes_no_sense_or_is_not_allowed_is_refused(plane: PlaneClient, changes: dict[str, Any], status: int) -> None:
    answer = plane.apply(**changes)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert plane.version == 1


def test_opening_the_last_target_is_refused_with_the_way_out(plane: PlaneClient) -> None:
    assert plane.apply("open_breaker", arguments={"target": "large"}).status_code == 201
    answer = plane.apply("open_breaker", arguments={"target": "small"})
    assert answer.status_code == 422
    assert "kill_route" in answer.json()["detail"]


def test_two_who_decide_on_one_version_do_not_both_win(plane: PlaneClient) -> None:
    body = {
        "action": "disable_tool",
        "arguments": {"tool": "x"},
        "scope": {"route": "support"},
        "ttl_s": 60,
        "owner": "o",
        "reason": "r",
    }
    first, second = (plane.post("/leases", body, headers={"If-Match": '"1"'}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 412)


def test_asking_again_with_the_same_key_changes_nothing(plane: PlaneClient) -> None:
    first, second = plane.apply(key="k").json(), plane.apply(key="k").json()
    assert first["id"] == second["id"]
    assert plane.version == 2


def test_a_lease_is_renewed_and_ends(plane: PlaneClient) -> None:
    lease_id = plane.apply().json()["id"]
    assert plane.post(f"/leases/{lease_id}/renew", {"ttl_s": 30, "reason": "nearly over"}).json()["left_s"] == 30
    plane.clock.advance(30)
    ended = plane.get(f"/leases/{lease_id}").json()
    assert (ended["how"], ended["ended_by"]) == ("expired", "holdfast")
    assert plane.get("/leases").json() == []
    assert plane.get("/leases?ended=true").json() == [ended]
    for path, body in (("renew", {"ttl_s": 30, "reason": "r"}), ("revoke", {"reason": "r"})):
        assert plane.post(f"/leases/{lease_id}/{path}", body).status_code == 404


def test_the_containments_of_an_incident_can_be_asked_for(plane: PlaneClient) -> None:
    mine = plane.apply(owner="inc_1").json()["id"]
    plane.apply(owner="inc_2", arguments={"tool": "other"})
    plane.post(f"/leases/{mine}/revoke", {"reason": "over"})
    assert plane.get("/leases?owner=inc_1").json() == []
    assert [lease["id"] for lease in plane.get("/leases?owner=inc_1&ended=true").json()] == [mine]


@pytest.mark.parametrize("path", ["/leases/lse_9", "/blocks/blk_9"])
def test_what_there_is_not_is_not_found(plane: PlaneClient, path: str) -> None:
    assert plane.get(path).status_code == 404


def test_support_looks_a_block_up_by_the_id_that_the_user_quotes_and_lifts_it(plane: PlaneClient) -> None:
    block_id = block(plane).json()["effect"]["block_id"]
    shown = plane.get(f"/blocks/{block_id}").json()
    assert (shown["live"], shown["reason"], shown["scope"]) == (True, "it scrapes", {"user": "mallory"})
    responder = plane.token({"*": "responder"})
    assert plane.post(f"/blocks/{block_id}/lift", {"reason": "a mistake"}, headers=responder).status_code == 200
    lifted = plane.get(f"/blocks/{block_id}").json()
    assert (lifted["live"], lifted["how"], lifted["ended_because"]) == (False, "revoked", "a mistake")
    assert plane.post(f"/blocks/{block_id}/lift", {"reason": "again"}).status_code == 404
    assert plane.get("/snapshot").json()["lifted"] == [], "it was no guard's"


def test_a_guards_block_is_lifted_once_and_travels_to_the_gateways(plane: PlaneClient) -> None:
    path, reason = "/blocks/blk_0123456789ab/lift", {"reason": "a recipe"}
    for grants in ({"*": "viewer"}, {"shop": "responder"}):
        assert plane.post(path, reason, headers=plane.token(grants)).status_code == 403
    assert plane.get("/snapshot").json()["lifted"] == []
    assert plane.post(path, reason, headers=plane.token({"*": "responder"})).status_code == 200
    assert plane.get("/snapshot").json()["lifted"] == ["blk_0123456789ab"]
    assert plane.post(path, reason).status_code == 422


def test_what_is_no_id_of_a_block_cannot_be_lifted(plane: PlaneClient) -> None:
    assert plane.post("/blocks/mallory/lift", {"reason": "a mistake"}).status_code == 422
    assert plane.version == 1


# Who may


def test_applying_and_undoing_need_an_approver(plane: PlaneClient) -> None:
    lease_id = plane.apply().json()["id"]
    responder, approver = plane.token({"*": "responder"}), plane.token({"*": "approver"})
    body = {"action": "block_user", "scope": {"user": "u"}, "ttl_s": 60, "owner": "o", "reason": "r"}
    for headers, status in ((responder, 403), (approver, 201)):
        assert plane.post("/leases", body, headers=headers).status_code == status
    assert plane.post("/leases/plan", body, headers=responder).status_code == 403
    for headers, status in ((responder, 403), (approver, 200)):
        assert plane.post(f"/leases/{lease_id}/renew", {"ttl_s": 60, "reason": "r"}, headers=headers).status_code == status
        assert plane.post(f"/leases/{lease_id}/revoke", {"reason": "r"}, headers=headers).status_code == status


def test_an_approver_of_one_application_contains_only_that_one(plane: PlaneClient) -> None:
    shop = plane.token({"shop": "approver"})
    body = {"action": "disable_tool", "arguments": {"tool": "x"}, "ttl_s": 60, "owner": "o", "reason": "r"}
    for scope, status in (
        ({"service.name": "shop", "route": "support"}, 201),
        ({"service.name": "other"}, 403),
        ({"route": "support"}, 403),
    ):
        assert plane.post("/leases", {**body, "scope": scope}, headers=shop).status_code == status
    mine = plane.get("/leases").json()[0]["id"]
    others = plane.apply().json()["id"]
    assert plane.post(f"/leases/{others}/revoke", {"reason": "r"}, headers=shop).status_code == 403
    assert plane.post(f"/leases/{mine}/revoke", {"reason": "r"}, headers=shop).status_code == 200


def test_nobody_who_is_not_signed_in_gets_anywhere(plane: PlaneClient) -> None:
    nobody = {"Authorization": ""}
    assert plane.get("/leases", headers=nobody).status_code == 401
    assert plane.post("/leases", {}, headers=nobody).status_code == 401
