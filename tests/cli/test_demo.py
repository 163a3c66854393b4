"""The demo breaks what it is told to break, with a real server."""

import pytest

from holdfast.cli.demo import LAST_S, Patience
from holdfast.core.diagnosis import FAULT_LAYERS
from holdfast.drills.faults.registry import FAULTS
from holdfast.drills.live import DEMO_FAULTS, Sent
from tests.cli.conftest import Shell


def test_it_says_what_can_break_at_least_one_fault_for_each_layer(shell: Shell) -> None:
    text = shell.run("demo", "--fault", "list").output
    assert all(name in text for name in DEMO_FAULTS)
    assert {FAULTS[name].layer for name in DEMO_FAULTS} == set(FAULT_LAYERS)


def test_a_fault_that_does_not_exist_is_refused_with_those_that_do(shell: Shell) -> None:
    text = shell.run("demo", "--fault", "gremlins", code=2).stderr
    assert "gremlins" in text
    assert DEMO_FAULTS[0] in text


@pytest.mark.parametrize(
    ("elapsed_s", "sent", "read", "waits"),
    [
        (99.9, Sent(requests=1_000, spans=6_000), 6_000, True),
        (100.0, Sent(requests=1_000, spans=6_000), 6_000, False),
        (100.0, Sent(requests=1_000, spans=6_000), 5_999, True),
        (100.0, Sent(requests=999, spans=5_990), 5_990, True),
        (LAST_S, Sent(requests=10, spans=60), 6, False),
    ],
    ids=["in time", "all was read", "the server is behind", "the application is behind", "never"],
)
def test_it_waits_for_a_machine_that_does_not_keep_up_but_not_for_ever(
    elapsed_s: float, sent: Sent, read: int, waits: bool
) -> None:
    assert Patience(limit_s=100, rate=10).lasts(elapsed_s, sent, read) is waits


def test_what_is_sent_while_it_waits_does_not_prolong_the_wait() -> None:
    patience = Patience(limit_s=100, rate=10)
    assert patience.lasts(100, Sent(requests=1_000, spans=6_000), 3_000)
    assert not patience.lasts(150, Sent(requests=1_500, spans=9_000), 6_000)
