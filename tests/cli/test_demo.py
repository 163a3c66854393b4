"""The demo breaks what it is told to break, with a real server."""

from holdfast.core.diagnosis import FAULT_LAYERS
from holdfast.drills.faults.registry import FAULTS
from holdfast.drills.live import DEMO_FAULTS
from tests.cli.conftest import Shell


def test_it_says_what_can_break_at_least_one_fault_for_each_layer(shell: Shell) -> None:
    text = shell.run("demo", "--fault", "list").output
    assert all(name in text for name in DEMO_FAULTS)
    assert {FAULTS[name].layer for name in DEMO_FAULTS} == set(FAULT_LAYERS)


def test_a_fault_that_does_not_exist_is_refused_with_those_that_do(shell: Shell) -> None:
    text = shell.run("demo", "--fault", "gremlins", code=2).stderr
    assert "gremlins" in text
    assert DEMO_FAULTS[0] in text
