"""How the control plane looks on a terminal."""

from typing import Any

import pytest

from holdfast.cli import control_view as view

REPORT = {"version": 3, "refused": "", "breakers": [{"rule": "transport", "target": "large", "position": "open"}]}


def gateway(silent: bool = False, **changes: Any) -> dict[str, Any]:
    return {"id": "g1", "silent": silent, "report": {**REPORT, **changes}}


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (gateway(), "transport/large"),
        (gateway(version=2), "behind"),
        (gateway(refused="oversized"), "oversized"),
        (gateway(silent=True), "silent"),
        (gateway(breakers=[]), "g1"),
    ],
    ids=["open", "behind", "refused", "silent", "fine"],
)
def test_a_gateway_that_is_not_fine_says_so(capsys: pytest.CaptureFixture[str], one: dict[str, Any], expected: str) -> None:
    view.show_gateways([one], 3)
    assert expected in capsys.readouterr().out


def test_no_gateways_is_said_and_not_left_blank(capsys: pytest.CaptureFixture[str]) -> None:
    view.show_gateways([], 3)
    assert "No gateway" in capsys.readouterr().out


def test_no_containments_take_no_room(capsys: pytest.CaptureFixture[str]) -> None:
    view.show_leases([])
    assert capsys.readouterr().out == ""
