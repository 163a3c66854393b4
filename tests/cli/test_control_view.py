"""How the control plane looks on a terminal."""

from typing import Any

import pytest

from holdfast.cli import control_view as view

REPORT = {
    "version": 3,
    "refused": "",
    "breakers": [{"rule": "transport", "target": "large", "position": "open"}],
    "counters": {"workers": 1.0},
}


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


def test_workers_that_count_for_themselves_are_said_to(capsys: pytest.CaptureFixture[str]) -> None:
    view.show_gateways([gateway(counters={"workers": 4.0})], 3)
    text = capsys.readouterr().out
    assert "4" in text
    assert "its part of every limit" in text
    view.show_gateways([gateway(), gateway(counters={})], 3)
    assert "its part" not in capsys.readouterr().out


def test_no_gateways_is_said_and_not_left_blank(capsys: pytest.CaptureFixture[str]) -> None:
    view.show_gateways([], 3)
    assert "No gateway" in capsys.readouterr().out


def test_no_containments_take_no_room(capsys: pytest.CaptureFixture[str]) -> None:
    view.show_leases([])
    assert capsys.readouterr().out == ""
