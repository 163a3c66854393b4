import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from holdfast.control.gateways import GatewayReport
from holdfast.control.probes import GOOD_IN_A_ROW, ProbeAnswer, ProbeVerdict
from tests.api.planes import BASE, PlaneClient, planes
from tests.probes import Person, call
from tests.probes import judge as judge_of


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[PlaneClient]:
    with planes(tmp_path) as found:
        yield found


BREAKER = {"rule": "transport", "target": "large", "position": "open", "since_ns": 5, "seen": 20, "bad": 18}


def report(plane: PlaneClient, gateway_id: str = "g1", **changes: Any) -> Any:
    return plane.post(f"/gateways/{gateway_id}/report", {"version": 1, "started_ns": 1, "breakers": [BREAKER], **changes})


def test_what_a_gateway_runs_is_shown(plane: PlaneClient) -> None:
    assert report(plane).status_code == 204
    (shown,) = plane.get("/gateways").json()
    assert (shown["id"], shown["report"]["version"], shown["silent"]) == ("g1", 1, False)
    assert shown["report"]["breakers"][0]["position"] == "open"
    assert plane.get().json()["gateways"] == [shown]


def test_it_shows_whether_all_that_are_heard_run_the_same_snapshot(plane: PlaneClient) -> None:
    report(plane, "g1")
    report(plane, "g2", version=0, refused="it is oversized")
    assert plane.get().json()["converged"] is False
    report(plane, "g2")
    assert plane.get().json()["converged"] is True
    plane.clock.advance(31)
    assert [gateway["silent"] for gateway in plane.get("/gateways").json()] == [True, True]


@pytest.mark.parametrize(
    "changes",
    [
        {"version": -1},
        {"version": "new"},
        {"breakers": [{"rule": "x"}]},
        {"breakers": [{**BREAKER, "position": "ajar"}]},
        {"breakers": [BREAKER] * 1_001},
        {"mood": "good"},
        {"counters": {"a": "b"}},
    ],
    ids=["negative", "text", "incomplete", "position", "many", "unknown", "counter"],
)
def test_a_report_that_makes_no_sense_is_refused(plane: PlaneClient, changes: dict[str, Any]) -> None:
    assert report(plane, **changes).status_code == 422
    assert plane.get("/gateways").json() == []


def test_an_id_that_is_none_is_refused(plane: PlaneClient) -> None:
    assert report(plane, "x" * 129).status_code == 422
    assert report(plane, "a%0Ab").status_code == 422


# Judged probes


def judge(plane: PlaneClient, **changes: Any) -> Any:
    return plane.post("/probes", {"rule": "quality", "target": "large", "good": True, "judge": "groundedness", **changes})


def test_verdicts_are_kept_in_order(plane: PlaneClient) -> None:
    assert [judge(plane).json()["number"] for _ in range(2)] == [1, 2]
    assert [verdict["number"] for verdict in plane.get("/probes?after=1").json()] == [2]


def test_a_verdict_and_a_report_may_be_posted_as_gateways_encode_them(plane: PlaneClient) -> None:
    verdict = ProbeVerdict(rule="quality", target="large", good=True, judge="groundedness", time_ns=5, number=99)
    headers = {"Content-Type": "application/json"}
    answer = plane.client.post(f"{BASE}/probes", content=msgspec.json.encode(verdict), headers=headers)
    assert answer.json()["number"] == 1
    assert plane.get("/probes").json()[0]["time_ns"] == plane.clock.now_ns()
    report = GatewayReport(version=1, started_ns=1, counters={"requests": 1.5})
    content = msgspec.json.encode(report)
    assert plane.client.post(f"{BASE}/gateways/g/report", content=content, headers=headers).status_code == 204
    assert msgspec.convert(plane.get("/gateways").json()[0]["report"], GatewayReport) == report


def test_good_probes_in_a_row_end_the_lease_that_waits_for_this_judge(plane: PlaneClient) -> None:
    arguments = {"target": "large", "judge": "groundedness"}
    lease_id = plane.apply("open_breaker", arguments=arguments).json()["id"]
    for _ in range(GOOD_IN_A_ROW - 1):
        assert judge(plane, lease_id=lease_id).json()["closed"] == ""
    judge(plane, lease_id=lease_id, good=False)
    for _ in range(GOOD_IN_A_ROW - 1):
        assert judge(plane, lease_id=lease_id).json()["closed"] == ""
    assert judge(plane, lease_id=lease_id).json()["closed"] == lease_id
    assert plane.get(f"/leases/{lease_id}").json()["ended_because"] == "its last probes were judged good by groundedness"
    assert judge(plane, lease_id=lease_id).json()["closed"] == ""


def test_somebody_elses_verdicts_end_nothing(plane: PlaneClient) -> None:
    lease_id = plane.apply("open_breaker", arguments={"target": "large", "judge": "groundedness"}).json()["id"]
    for _ in range(2 * GOOD_IN_A_ROW):
        assert judge(plane, lease_id=lease_id, judge="the gateway itself").json()["closed"] == ""
    assert len(plane.get("/leases").json()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"target": ""},
        {"judge": ""},
        {"good": "perhaps"},
        {"dimensions": {"a": 1}},
        {"dimensions": {"a": "x" * 600}},
        {"more": 7},
    ],
    ids=str,
)
def test_a_verdict_that_makes_no_sense_is_refused(plane: PlaneClient, changes: dict[str, Any]) -> None:
    assert judge(plane, **changes).status_code == 422


def test_judging_needs_a_responder_and_reporting_only_a_sign_in(plane: PlaneClient) -> None:
    viewer = plane.token({"*": "viewer"})
    body = {"target": "large", "good": True, "judge": "x"}
    assert plane.post("/probes", body, headers=viewer).status_code == 403
    assert plane.post("/gateways/g/report", {"version": 1, "started_ns": 1}, headers=viewer).status_code == 204
    assert plane.post("/gateways/g/report", {}, headers={"Authorization": ""}).status_code == 401


# Answers for a judge of the server's


@pytest.fixture
def court(tmp_path: Path) -> Iterator[PlaneClient]:
    person = Person(lambda texts: 0.9 if "fool" in texts["answer"] else 0.1)
    with planes(
        tmp_path, judge_of(person), judge_of(Person(lambda texts: 0.0), "bank_only", applications=frozenset({"bank"}))
    ) as found:
        yield found


def opened(court: PlaneClient, judge: str = "person") -> str:
    lease_id: str = court.apply("open_breaker", arguments={"target": "large", "judge": judge}).json()["id"]
    return lease_id


def offer(court: PlaneClient, lease_id: str, said: str, /, **changes: Any) -> Any:
    answer = ProbeAnswer(lease_id=lease_id, target="large", judge="person", trace_id="ab" * 16, call=call(said))
    return court.post("/probes/answers", {**msgspec.to_builtins(answer), **changes})


def verdicts(court: PlaneClient, count: int) -> list[dict[str, Any]]:
    """Once so many are there."""
    for _ in range(2_000):
        found: list[dict[str, Any]] = court.get("/probes").json()
        if len(found) >= count:
            return found
        threading.Event().wait(0.005)
    raise AssertionError(f"{len(found)} verdicts after ten seconds")


def test_good_answers_in_a_row_by_the_servers_judge_end_the_lease_and_a_bad_one_starts_anew(court: PlaneClient) -> None:
    lease_id = opened(court)
    said = ["It comes today."] * (GOOD_IN_A_ROW - 1) + ["You fool."] + ["It comes today."] * GOOD_IN_A_ROW
    for number, text in enumerate(said):
        assert "ended_because" not in court.get(f"/leases/{lease_id}").json()
        assert offer(court, lease_id, f"{text} {number}").status_code == 202
        assert verdicts(court, number + 1)[number]["good"] is ("fool" not in text)
    assert court.get(f"/leases/{lease_id}").json()["ended_because"] == "its last probes were judged good by person"


def test_an_answer_that_comes_after_its_lease_has_ended_is_refused_unjudged(court: PlaneClient) -> None:
    lease_id = opened(court)
    assert court.post(f"/leases/{lease_id}/revoke", {"reason": "over"}).is_success
    assert offer(court, lease_id, "It comes today.").status_code == 404
    assert court.get("/probes").json() == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"lease_id": "lse_unknown"}, 404),
        ({"target": "small"}, 404),
        ({"judge": "somebody"}, 404),
        ({"call": ""}, 422),
        ({"call": "no base64!"}, 422),
        ({"call": "e30="}, 422),
        ({"call": "A" * 400_000}, 422),
        ({"call": 7}, 422),
        ({"more": 7}, 422),
    ],
    ids=["lease", "target", "judge", "empty", "text", "no-call", "large", "number", "unknown"],
)
def test_an_answer_that_nobody_waits_for_or_can_read_is_refused(court: PlaneClient, changes: dict[str, Any], status: int) -> None:
    lease_id = opened(court)
    assert offer(court, lease_id, "It comes today.", **changes).status_code == status


def test_a_lease_may_name_a_judge_that_this_server_does_not_have(court: PlaneClient) -> None:
    lease_id = opened(court, "elsewhere")
    told = offer(court, lease_id, "It comes today.", judge="elsewhere")
    assert (told.status_code, "elsewhere" in told.json()["detail"]) == (404, True)


def test_a_judge_is_not_shown_the_answers_of_other_applications(court: PlaneClient) -> None:
    lease_id = opened(court, "bank_only")
    assert offer(court, lease_id, "It comes today.", judge="bank_only").status_code == 422


def test_a_server_without_judges_says_so(plane: PlaneClient) -> None:
    lease_id = opened(plane)
    assert offer(plane, lease_id, "It comes today.").status_code == 404


def test_a_viewer_cannot_have_answers_judged(court: PlaneClient) -> None:
    body = {"lease_id": "l", "target": "large", "judge": "person", "trace_id": "t", "call": "e30="}
    assert court.post("/probes/answers", body, headers=court.token({"*": "viewer"})).status_code == 403
