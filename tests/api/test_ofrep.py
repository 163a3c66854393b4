import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from holdfast.api import ofrep
from holdfast.api.rate import RateLimit, RatePolicy
from holdfast.control.effects import DisableTool, QuarantineSource
from holdfast.testing.control import example_desired
from holdfast.testing.control_server import ADMIN, ControlServer
from tests.api.planes import PlaneClient, planes
from tests.control.examples import draft

HERE = {"targetingKey": "u1", "route": "support", "tenant": "acme"}


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[PlaneClient]:
    with planes(tmp_path) as found:
        yield found


def one(plane: PlaneClient, key: str, context: Any = HERE, **more: Any) -> Any:
    return plane.client.post(f"/ofrep/v1/evaluate/flags/{key}", json={"context": context}, **more)


def every(plane: PlaneClient, context: Any = HERE, **more: Any) -> Any:
    return plane.client.post("/ofrep/v1/evaluate/flags", json={"context": context}, **more)


# One flag


def test_a_flag_comes_with_value_reason_and_variant(plane: PlaneClient) -> None:
    answer = one(plane, "new-ranking")
    assert answer.json() == {"key": "new-ranking", "value": True, "reason": "TARGETING_MATCH", "variant": "on"}


def test_a_lease_is_seen_at_once_and_gone_when_it_ends(plane: PlaneClient) -> None:
    key = "holdfast.tool.refund.disabled"
    assert one(plane, key).json()["value"] is False
    plane.apply()
    assert one(plane, key).json()["value"] is True
    assert one(plane, key, {"targetingKey": "u1", "route": "search"}).json()["value"] is False
    plane.clock.advance(600)
    assert one(plane, key).json()["value"] is False


def test_a_source_with_a_slash_has_a_flag_too(plane: PlaneClient) -> None:
    plane.apply("quarantine_source", arguments={"source": "wiki/FAQ"})
    assert one(plane, "holdfast.source.wiki/FAQ.quarantined").json()["value"] is True


def test_a_flag_that_there_is_not_is_told_in_the_protocols_words(plane: PlaneClient) -> None:
    answer = one(plane, "gone")
    assert answer.status_code == 404
    assert (answer.json()["key"], answer.json()["errorCode"]) == ("gone", "FLAG_NOT_FOUND")
    assert one(plane, "x" * 600).status_code == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "PARSE_ERROR"),
        (b"{", "PARSE_ERROR"),
        (b"[]", "PARSE_ERROR"),
        (b"\xff", "PARSE_ERROR"),
        (b"[" * 10_000, "PARSE_ERROR"),
        (b'{"context":7}', "INVALID_CONTEXT"),
        (b'{"context":null}', "INVALID_CONTEXT"),
        (b'{"context":{"targetingKey":7}}', "INVALID_CONTEXT"),
    ],
    ids=lambda value: repr(value)[:24],
)
@pytest.mark.parametrize("path", ["flags", "flags/new-ranking"])
def test_a_request_that_makes_no_sense_is_told_in_the_protocols_words(
    plane: PlaneClient, path: str, body: bytes, code: str
) -> None:
    answer = plane.client.post(f"/ofrep/v1/evaluate/{path}", content=body)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)
    assert answer.json()["errorDetails"]


def test_a_context_without_a_targeting_key_is_of_no_user(plane: PlaneClient) -> None:
    plane.apply(share=0.99)
    assert one(plane, "holdfast.tool.refund.disabled", {"route": "support"}).json()["value"] is False
    assert plane.client.post("/ofrep/v1/evaluate/flags/new-ranking", json={}).json()["value"] is False


def test_an_oversized_body_is_refused(plane: PlaneClient) -> None:
    assert one(plane, "new-ranking", {"targetingKey": "x" * ofrep.MAX_BODY}).status_code == 413


# All flags


def test_all_flags_come_with_an_etag_and_where_changes_are_told(plane: PlaneClient) -> None:
    answer = every(plane)
    assert {flag["key"] for flag in answer.json()["flags"]} >= {"new-ranking", "holdfast.automation"}
    assert answer.headers["etag"]
    (stream,) = answer.json()["eventStreams"]
    assert (stream["type"], stream["inactivityDelaySec"]) == ("sse", 120)
    assert stream["url"].endswith("/ofrep/v1/events")


def test_who_has_them_is_told_so_until_something_changes_for_this_context(plane: PlaneClient) -> None:
    tag = {"If-None-Match": every(plane).headers["etag"]}
    assert every(plane, headers=tag).status_code == 304
    plane.apply("pin_parameters", arguments={"parameters": {"temperature": 0}})
    assert every(plane, headers=tag).status_code == 304, "no flag is of this lease"
    plane.apply()
    assert every(plane, headers=tag).status_code == 200
    assert every(plane, {"targetingKey": "u1", "tenant": "other"}, headers=tag).status_code == 200


def test_one_by_one_is_the_same_as_all_at_once(plane: PlaneClient) -> None:
    plane.apply()
    for flag in every(plane).json()["flags"]:
        assert one(plane, flag["key"]).json() == flag


def test_a_refetch_after_an_event_of_another_server_gets_what_that_one_knew(tmp_path: Path) -> None:
    with planes(tmp_path) as plane, ControlServer(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite", plane.clock) as other:
        other.plane.store.grant(lambda state: draft(DisableTool(tool="refund")), "user:ada")
        answer = every(plane, params={"flagConfigEtag": '"2"'})
        assert {"key": "holdfast.tool.refund.disabled", "value": True} in [
            {"key": flag["key"], "value": flag.get("value")} for flag in answer.json()["flags"]
        ]


# Who may


@pytest.mark.parametrize(
    ("grants", "scopes", "status"),
    [
        ({"*": "viewer"}, ("read:ofrep",), 200),
        ({"shop": "viewer"}, ("read:ofrep",), 200),
        ({"*": "admin"}, ("read:incidents",), 403),
    ],
    ids=["reader", "of-one-application", "for-something-else"],
)
def test_reading_is_enough_to_evaluate(plane: PlaneClient, grants: dict[str, str], scopes: tuple[str, ...], status: int) -> None:
    headers = plane.token(grants, *scopes)
    assert one(plane, "new-ranking", headers=headers).status_code == status


def test_a_key_may_come_as_x_api_key(plane: PlaneClient) -> None:
    secret = plane.token({"*": "viewer"}, "read:ofrep")["Authorization"].removeprefix("Bearer ")
    del plane.client.headers["Authorization"]
    assert one(plane, "new-ranking", headers={"X-API-Key": secret}).status_code == 200
    assert one(plane, "new-ranking", headers={"X-API-Key": "wrong"}).status_code == 401
    assert one(plane, "new-ranking").status_code == 401


def test_who_evaluates_without_end_is_told_to_wait(plane: PlaneClient) -> None:
    app: Any = plane.client.app
    app.state.control.evaluations = RateLimit(plane.clock, RatePolicy(per_s=1, burst=2))
    assert [one(plane, "new-ranking").status_code for _ in range(3)] == [200, 200, 429]
    assert int(one(plane, "new-ranking").headers["retry-after"]) >= 1
    plane.clock.advance(1)
    assert one(plane, "new-ranking").status_code == 200


# The official client, over real HTTP


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ControlServer]:
    with ControlServer(tmp_path) as server:
        server.configure(example_desired())
        yield server


@pytest.fixture
def provider(served: ControlServer) -> Iterator[OFREPProvider]:
    found = OFREPProvider(served.url, headers_factory=lambda: {"Authorization": f"Bearer {ADMIN}"}, timeout=30)
    api.set_provider(found)
    yield found
    api.clear_providers()
    found.session.close()


def context(**attributes: Any) -> EvaluationContext:
    return EvaluationContext(targeting_key="u1", attributes={"route": "support", **attributes})


@pytest.mark.usefixtures("provider")
def test_the_official_client_reads_what_people_configured() -> None:
    details = api.get_client().get_boolean_details("new-ranking", False, context(tenant="acme"))
    assert (details.value, details.reason, details.variant, details.error_code) == (True, Reason.TARGETING_MATCH, "on", None)
    assert api.get_client().get_boolean_value("new-ranking", True, context(tenant="other")) is False


@pytest.mark.usefixtures("provider")
def test_the_official_client_reads_containments(served: ControlServer) -> None:
    client = api.get_client()
    tool, sources = "holdfast.tool.refund.disabled", "holdfast.sources.quarantined"
    assert client.get_boolean_value(tool, True, context()) is False
    served.plane.store.grant(lambda state: draft(DisableTool(tool="refund")), "user:ada")
    lease = served.plane.store.grant(lambda state: draft(QuarantineSource(source="wiki")), "user:ada")
    assert client.get_boolean_value(tool, False, context()) is True
    assert client.get_object_value(sources, {}, context()) == {"names": ["wiki"]}
    served.plane.store.revoke(lease.id, "user:ada", "over")
    assert client.get_object_value(sources, {}, context()) == {"names": []}


@pytest.mark.usefixtures("provider")
def test_the_official_client_gets_its_default_and_the_reason_where_there_is_nothing() -> None:
    details = api.get_client().get_boolean_details("gone", True, context())
    assert (details.value, details.error_code) == (True, ErrorCode.FLAG_NOT_FOUND)
    wrong_type = api.get_client().get_string_details("new-ranking", "x", context())
    assert (wrong_type.value, wrong_type.error_code) == ("x", ErrorCode.TYPE_MISMATCH)


def test_the_official_client_gets_its_default_when_it_may_not_or_nobody_answers(served: ControlServer) -> None:
    for url, headers in ((served.url, {"Authorization": "Bearer wrong"}), ("http://127.0.0.1:9", {})):
        refused = OFREPProvider(url, headers_factory=lambda headers=headers: headers, timeout=30)  # type: ignore[misc]
        api.set_provider(refused)
        details = api.get_client().get_boolean_details("new-ranking", True, context())
        assert (details.value, details.error_code) == (True, ErrorCode.GENERAL)
        api.clear_providers()
        refused.session.close()


# Changes as events


def test_a_change_is_told_with_the_etag_to_refetch_by(served: ControlServer) -> None:
    with httpx.stream("GET", f"{served.url}/ofrep/v1/events", headers=served.headers, timeout=60) as response:
        lines = response.iter_lines()
        assert next(lines) == "retry: 1000"
        served.plane.store.grant(lambda state: draft(DisableTool(tool="refund")), "user:ada")
        data = next(line for line in lines if line.startswith("data: "))
    told = json.loads(data.removeprefix("data: "))
    assert (told["type"], told["etag"]) == ("refetchEvaluation", '"2"')
    assert isinstance(told["lastModified"], int)


def test_who_comes_again_is_told_of_what_was_missed(served: ControlServer) -> None:
    served.plane.store.grant(lambda state: draft(DisableTool(tool="refund")), "user:ada")
    headers = {**served.headers, "Last-Event-ID": "1"}
    with httpx.stream("GET", f"{served.url}/ofrep/v1/events", headers=headers, timeout=60) as response:
        assert "id: 2" in (line for line in response.iter_lines())


def test_a_quiet_stream_says_that_it_is_there_and_ends_in_time(served: ControlServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ofrep, "HEARTBEAT_S", 0.01)
    with httpx.stream("GET", f"{served.url}/ofrep/v1/events", headers=served.headers, timeout=60) as response:
        assert ": still here" in (line for line in response.iter_lines())
    monkeypatch.setattr(ofrep, "LONGEST_S", 0.0)
    assert httpx.get(f"{served.url}/ofrep/v1/events", headers=served.headers, timeout=60).text == "retry: 1000\n\n"
