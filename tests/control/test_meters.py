from typing import Any

import msgspec
import pytest

from holdfast.control.effects import Block
from holdfast.control.gateways import GatewayReport, KnownGateway
from holdfast.control.meters import exposition, unavailable
from tests.control.examples import LATER, NOW, lease, snapshot


def gateway(silent: bool = False, **changes: Any) -> KnownGateway:
    return KnownGateway(id="g", heard_ns=1, silent=silent, report=GatewayReport(**{"version": 2, "started_ns": 1, **changes}))


def test_leases_are_counted_by_action_and_whether_a_person_stood_behind_them() -> None:
    blocked = lease(Block(block_id="b"), 2, action="block_user", automatic=True, scope={"user": "u"})
    text = exposition(snapshot(lease(), blocked), (), NOW).decode()
    assert 'holdfast_control_leases{action="disable_tool",automatic="false"} 1.0' in text
    assert 'holdfast_control_leases{action="block_user",automatic="true"} 1.0' in text
    assert "holdfast_control_version 2.0" in text
    assert "holdfast_control_leases{" not in exposition(snapshot(lease()), (), LATER).decode()


def test_the_red_button_shows() -> None:
    assert "holdfast_control_automation 1.0" in exposition(snapshot(), (), NOW).decode()
    pressed = msgspec.structs.replace(snapshot(), automation=False)
    assert "holdfast_control_automation 0.0" in exposition(pressed, (), NOW).decode()


@pytest.mark.parametrize(
    ("one", "state"),
    [
        (gateway(), "current"),
        (gateway(version=1), "behind"),
        (gateway(version=1, refused="it is oversized"), "refusing"),
        (gateway(silent=True, version=1), "silent"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_gateway_that_is_not_current_is_counted_apart(one: KnownGateway, state: str) -> None:
    text = exposition(snapshot(lease(), lease(number=2)), [one], NOW).decode()
    assert f'holdfast_control_gateways{{state="{state}"}} 1.0' in text
    assert text.count('"} 0.0') == 3


def test_a_control_plane_that_cannot_be_served_is_not_silent() -> None:
    assert "holdfast_control_up 0.0" in unavailable().decode()
    assert "holdfast_control_up 1.0" in exposition(snapshot(), (), NOW).decode()
