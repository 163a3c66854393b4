import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from holdfast.api import control
from holdfast.control.snapshot import Desired, Snapshot
from holdfast.testing.control import example_desired
from holdfast.testing.control_server import ControlServer
from tests.api.planes import BASE, PlaneClient, planes


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[PlaneClient]:
    with planes(tmp_path) as found:
        yield found


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ControlServer]:
    with ControlServer(tmp_path) as server:
        server.configure(example_desired())
        yield server


def limited(requests_per_s: float) -> Desired:
    desired = example_desired()
    return msgspec.structs.replace(desired, user_limit=msgspec.structs.replace(desired.user_limit, requests_per_s=requests_per_s))


# The snapshot


def test_a_gateway_gets_the_snapshot_with_its_version_as_the_etag(plane: PlaneClient) -> None:
    answer = plane.get("/snapshot")
    snapshot = msgspec.json.decode(answer.content, type=Snapshot)
    assert (snapshot.version, snapshot.desired, answer.headers["etag"]) == (1, example_desired(), '"1"')


@pytest.mark.parametrize("tag", ['"1"', 'W/"1"', ' "1" '], ids=["strong", "weak", "blanks"])
def test_who_has_it_is_told_so(plane: PlaneClient, tag: str) -> None:
    answer = plane.get("/snapshot", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (304, b"")


def test_who_has_another_one_gets_it_at_once_even_when_willing_to_wait(plane: PlaneClient) -> None:
    assert plane.get("/snapshot?wait_s=30", headers={"If-None-Match": '"0"'}).status_code == 200


def test_a_long_poll_ends_without_a_change_when_its_time_is_over(plane: PlaneClient) -> None:
    assert plane.get("/snapshot?wait_s=0.01", headers={"If-None-Match": '"1"'}).status_code == 304


@pytest.mark.parametrize("query", ["wait_s=-1", "wait_s=61", "wait_s=long"])
def test_a_wait_that_makes_no_sense_is_refused(plane: PlaneClient, query: str) -> None:
    assert plane.get(f"/snapshot?{query}").status_code == 422


# The stream, over real connections


class Stream:
    """Events of a server-sent stream, one by one."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()

    def event(self) -> dict[str, str]:
        """The next event that is more than a comment or a hint when to retry."""
        fields: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if line and name:
                fields[name] = value
            elif "data" in fields:
                return fields
            else:
                fields = {}
        raise AssertionError("the stream ended")


def test_the_stream_begins_with_the_snapshot_and_goes_on_with_each_new_one(served: ControlServer) -> None:
    with httpx.stream("GET", f"{served.url}{BASE}/stream", headers=served.headers, timeout=60) as response:
        stream = Stream(response)
        first = stream.event()
        assert (first["event"], first["id"]) == ("snapshot", "1")
        assert msgspec.json.decode(first["data"], type=Snapshot) == served.plane.store.snapshot
        served.configure(limited(5))
        second = stream.event()
        assert second["id"] == "2"
        assert msgspec.json.decode(second["data"], type=Snapshot).desired == limited(5)


def test_a_stream_goes_on_where_another_ended_and_says_nothing_twice(served: ControlServer) -> None:
    headers = {**served.headers, "Last-Event-ID": "1"}
    with httpx.stream("GET", f"{served.url}{BASE}/stream", headers=headers, timeout=60) as response:
        stream = Stream(response)
        served.configure(limited(5))
        assert stream.event()["id"] == "2"


@pytest.mark.parametrize("last", ["0", "7", "nonsense", "-1", "9" * 30, "１"], ids=ascii)
def test_whatever_a_gateway_says_that_it_had_last_it_gets_what_there_is(served: ControlServer, last: str) -> None:
    headers = [*((name.encode(), value.encode()) for name, value in served.headers.items()), (b"Last-Event-ID", last.encode())]
    with httpx.stream("GET", f"{served.url}{BASE}/stream", headers=headers, timeout=60) as response:
        assert Stream(response).event()["id"] == "1"


def test_a_judged_probe_comes_through_the_stream(served: ControlServer) -> None:
    with httpx.stream("GET", f"{served.url}{BASE}/stream", headers=served.headers, timeout=60) as response:
        stream = Stream(response)
        stream.event()
        body = {"rule": "quality", "target": "large", "good": True, "judge": "groundedness"}
        assert httpx.post(f"{served.url}{BASE}/probes", json=body, headers=served.headers, timeout=60).status_code == 201
        event = stream.event()
        assert event["event"] == "probe"
        assert json.loads(event["data"])["judge"] == "groundedness"


def test_a_quiet_stream_says_now_and_then_that_it_is_there(served: ControlServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "HEARTBEAT_S", 0.01)
    headers = {**served.headers, "Last-Event-ID": "1"}
    with httpx.stream("GET", f"{served.url}{BASE}/stream", headers=headers, timeout=60) as response:
        assert ": still here" in (line for line in response.iter_lines())


def test_a_stream_ends_so_that_the_right_to_it_is_asked_anew(served: ControlServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "LONGEST_S", 0.0)
    answer = httpx.get(f"{served.url}{BASE}/stream", headers=served.headers, timeout=60)
    assert answer.text == "retry: 500\n\n"


def test_a_long_poll_is_answered_by_the_change_that_it_waits_for(served: ControlServer) -> None:
    later = threading.Timer(0.05, lambda: served.configure(limited(5)))
    later.start()
    headers = {**served.headers, "If-None-Match": '"1"'}
    answer = httpx.get(f"{served.url}{BASE}/snapshot?wait_s=10", headers=headers, timeout=60)
    later.join()
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')


# The desired state


def test_a_change_is_answered_with_the_new_version_and_the_difference_in_words(plane: PlaneClient) -> None:
    answer = plane.put_desired(limited(5.0), 1)
    assert answer.json() == {"version": 2, "changes": ["user_limit: requests_per_s: 0.0 → 5.0"]}
    assert answer.headers["etag"] == '"2"'


def test_a_change_without_if_match_is_asked_for_one(plane: PlaneClient) -> None:
    for headers in ({}, {"If-Match": "*"}):
        body = {"desired": {}, "reason": "r"}
        assert plane.client.put(f"{BASE}/desired", json=body, headers=headers).status_code == 428
    assert plane.version == 1


@pytest.mark.parametrize("tag", ['"0"', '"2"', "nonsense", '"９"', "9" * 30], ids=ascii)
def test_a_change_to_a_version_that_is_not_there_is_refused(plane: PlaneClient, tag: str) -> None:
    body = {"desired": msgspec.to_builtins(limited(5)), "reason": "r"}
    answer = plane.client.put(f"{BASE}/desired", json=body, headers=[(b"If-Match", tag.encode())])
    assert (answer.status_code, plane.version) == (412, 1)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"desired": {"rutes": []}, "reason": "r"}, "rutes"),
        (
            {"desired": {"routes": [{"name": "a", "targets": [{"target": 1}]}]}, "reason": "r"},
            "desired.routes[0].targets[0].target",
        ),
        ({"desired": {"routes": [{"name": "a", "targets": []}]}, "reason": "r"}, "routes[a].targets: is empty"),
        ({"desired": [], "reason": "r"}, "body.desired"),
        ({"desired": {}, "reason": " "}, "body.reason"),
        ({"desired": {}, "reason": "r", "more": 1}, "body.more"),
        ({"reason": "r"}, "body.desired"),
    ],
    ids=["unknown-field", "type", "unsound", "no-object", "no-reason", "unknown", "missing"],
)
def test_a_desired_state_that_makes_no_sense_is_refused_with_its_place(plane: PlaneClient, body: Any, told: str) -> None:
    answer = plane.client.put(f"{BASE}/desired", json=body, headers={"If-Match": '"1"'})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.json()["detail"]
    assert plane.version == 1


def test_an_oversized_body_is_refused(plane: PlaneClient) -> None:
    body = b'{"reason":"' + b"x" * (control.MAX_BODY + 1) + b'"}'
    headers = {"If-Match": '"1"', "Content-Type": "application/json"}
    assert plane.client.put(f"{BASE}/desired", content=body, headers=headers).status_code == 413


def test_a_dry_run_judges_and_compares_and_changes_nothing(plane: PlaneClient) -> None:
    answer = plane.put_desired(limited(5.0), None, params={"dry_run": True})
    assert answer.json() == {"version": 1, "changes": ["user_limit: requests_per_s: 0.0 → 5.0"]}
    broken = msgspec.structs.replace(example_desired(), targets=())
    assert plane.put_desired(broken, None, params={"dry_run": True}).status_code == 422
    assert plane.version == 1


# How things stand, what happened


def test_how_things_stand_on_one_page(plane: PlaneClient) -> None:
    lease = plane.apply().json()
    shown = plane.get().json()
    assert (shown["version"], shown["automation"]) == (2, True)
    assert shown["leases"][0]["id"] == lease["id"]
    plane.clock.advance(600)
    assert plane.get().json()["leases"] == []


def test_the_history_says_who_did_what_why_and_what_stood_there_before(plane: PlaneClient) -> None:
    lease = plane.apply().json()
    plane.post(f"/leases/{lease['id']}/renew", {"ttl_s": 60, "reason": "shorter"})
    plane.post("/red-button", {"pressed": True, "reason": "it errs"})
    button, renewed, granted, configured = plane.get("/history").json()
    assert (button["event"], button["actor"], button["reason"]) == ("AutomationStopped", "user:root", "it errs")
    assert renewed["before"] > renewed["after"]
    assert (granted["before"], granted["reason"]) == ("refund may be called", "it refunds everybody")
    assert "route support added" in configured["text"]
    assert [entry["version"] for entry in plane.get("/history?limit=2&before=3").json()] == [2, 1]


def test_every_change_is_in_the_ledgers_chain(plane: PlaneClient) -> None:
    plane.apply()
    plane.post("/red-button", {"pressed": True, "reason": "it errs"})
    assert plane.context.ledger.stream("control").version() == 3
    assert plane.context.ledger.verify().ok


# The red button


def test_a_responder_stops_automation_and_an_approver_lets_it_go_on(plane: PlaneClient) -> None:
    responder, approver = plane.token({"*": "responder"}), plane.token({"*": "approver"})
    pressed, released = {"pressed": True, "reason": "it errs"}, {"pressed": False, "reason": "mended"}
    assert plane.post("/red-button", pressed, headers=responder).json()["changes"] == ["automation: stopped"]
    assert plane.get("/snapshot").json()["automation"] is False
    assert plane.post("/red-button", pressed, headers=responder).status_code == 409
    assert plane.post("/red-button", released, headers=responder).status_code == 403
    assert plane.post("/red-button", released, headers=approver).status_code == 200
    assert plane.get("/snapshot").json()["automation"] is True


# Who may


@pytest.mark.parametrize(
    ("method", "path", "weakest"),
    [
        ("GET", "", "viewer"),
        ("GET", "/snapshot", "viewer"),
        ("GET", "/history", "viewer"),
        ("POST", "/red-button", "responder"),
        ("PUT", "/desired", "admin"),
    ],
    ids=lambda value: value or "show",
)
def test_each_endpoint_wants_its_role_and_no_less(plane: PlaneClient, method: str, path: str, weakest: str) -> None:
    order = ["viewer", "responder", "approver", "admin"]
    for role in order:
        status = plane.client.request(method, BASE + path, json={}, headers=plane.token({"*": role})).status_code
        assert (status != 403) is (order.index(role) >= order.index(weakest)), (role, status)
    assert plane.client.request(method, BASE + path, json={}, headers={"Authorization": ""}).status_code == 401


def test_a_gateways_token_reads_and_reports_and_can_change_nothing(plane: PlaneClient) -> None:
    headers = plane.token({"*": "viewer"}, "write:control")
    assert plane.get("/snapshot", headers=headers).status_code == 200
    report = {"version": 1, "started_ns": 1}
    assert plane.post("/gateways/g1/report", report, headers=headers).status_code == 204
    assert plane.post("/red-button", {"pressed": True, "reason": "r"}, headers=headers).status_code == 403
