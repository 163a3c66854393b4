"""The control page: what is contained, and the red button."""

import pytest

from holdfast.access.roles import Role
from tests.console.conftest import Visitor

LEASE = {
    "action": "quarantine_source",
    "scope": "service.name=shop",
    "minutes": "30",
    "owner": "inc_1",
    "reason": "it leaks",
    "arguments": "source=orders",
}


@pytest.fixture
def approver(sign_in) -> Visitor:  # type: ignore[no-untyped-def]
    found: Visitor = sign_in(Role.APPROVER)
    return found


def test_without_gateways_and_leases_it_says_what_to_do(viewer: Visitor) -> None:
    text = viewer.get("/control").text
    assert "Nothing is contained." in text
    assert "No gateway has reported" in text


def test_an_approver_contains_and_undoes(approver: Visitor) -> None:
    answer = approver.submit("/control", "/control/leases", **LEASE)
    assert answer.headers["location"] == "/incidents/inc_1", answer.text
    for page in ("/control", "/", "/incidents/inc_1"):
        assert "service.name=shop" in approver.get(page).text
    text = approver.get("/control").text
    lease = text.split("/control/leases/")[-1].split("/revoke")[0]
    assert approver.submit("/control", f"/control/leases/{lease}/revoke", reason="it is over").status_code == 303
    assert "Nothing is contained." in approver.get("/control").text


@pytest.mark.parametrize(
    "changed",
    [
        {"scope": ""},
        {"scope": "colour=red"},
        {"minutes": "soon"},
        {"minutes": "0"},
        {"reason": ""},
        {"action": "explode"},
        {"arguments": "x"},
    ],
    ids=str,
)
def test_a_containment_that_makes_no_sense_is_refused(approver: Visitor, changed: dict[str, str]) -> None:
    assert approver.submit("/control", "/control/leases", **{**LEASE, **changed}).status_code in (404, 422)
    assert "Nothing is contained." in approver.get("/control").text


def test_a_responder_may_not_contain(responder: Visitor) -> None:
    assert responder.submit("/", "/control/leases", **LEASE).status_code == 403
    assert responder.submit("/", "/control/automation", to="stop", reason="x").status_code == 403


def test_the_red_button_stops_automation_until_somebody_resumes_it(approver: Visitor) -> None:
    approver.submit("/control", "/control/automation", to="stop", reason="it misbehaves")
    assert "Automation is stopped." in approver.get("/control").text
    approver.submit("/control", "/control/automation", to="resume", reason="mended")
    assert "Automation is stopped." not in approver.get("/control").text
