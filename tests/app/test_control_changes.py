"""Detection hears of what the control plane does as it hears of any deploy."""

from collections.abc import Sequence

import pytest

from holdfast.app.control_changes import EVERY_NS, ControlChanges
from holdfast.control.prompts import rolled_back
from holdfast.control.store import ControlStore
from holdfast.core.change import Change, ChangeKind
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import StoreError
from holdfast.core.stream import StreamEntry
from holdfast.detect.detection import Detection
from holdfast.detect.policy import DetectPolicy
from holdfast.testing.clock import FakeClock
from holdfast.testing.control import example_desired
from holdfast.testing.streams import MemoryStream
from tests.control.examples import draft
from tests.detect.replay import feed
from tests.detect.simulation import METRICS, START_NS, Script, traffic


class Broken(MemoryStream):
    """A stream that can be made unreadable."""

    away = False

    def version(self) -> int:
        self._must_be_there()
        return super().version()

    def read(self, after: int = 0, limit: int = 1_000) -> list[StreamEntry]:
        self._must_be_there()
        return super().read(after, limit)

    def _must_be_there(self) -> None:
        if self.away:
            raise StoreError("away")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START_NS + 4000 * NS_PER_S)


@pytest.fixture
def stream() -> Broken:
    return Broken()


@pytest.fixture
def store(stream: Broken, clock: FakeClock) -> ControlStore:
    made = ControlStore(stream, clock)
    made.configure(example_desired(), "user:ada", "first configuration", 0)
    return made


def asked(changes: ControlChanges, clock: FakeClock) -> Sequence[Change]:
    clock.advance(EVERY_NS / NS_PER_S)
    return changes()


def test_a_lease_and_a_prompt_rolled_back_are_told_once_each(store: ControlStore, stream: Broken, clock: FakeClock) -> None:
    changes = ControlChanges(stream, clock)
    asked(changes, clock)
    store.grant(lambda state: draft(), "user:ada")
    assert [change.target for change in asked(changes, clock)] == ["disable_tool"]
    store.configure(rolled_back(store.snapshot.desired, "support"), "user:ada", "worse", store.snapshot.version)
    assert [(c.kind, c.to_value) for c in asked(changes, clock)] == [(ChangeKind.PROMPT, "v1")]
    assert asked(changes, clock) == []


def test_the_ledger_is_not_asked_at_every_step_of_the_pipeline(store: ControlStore, stream: Broken, clock: FakeClock) -> None:
    changes = ControlChanges(stream, clock)
    assert changes()
    store.grant(lambda state: draft(), "user:ada")
    assert changes() == []
    assert asked(changes, clock)


def test_a_control_stream_that_cannot_be_read_stops_nothing_and_is_caught_up_with(
    store: ControlStore, stream: Broken, clock: FakeClock
) -> None:
    stream.away = True
    changes = ControlChanges(stream, clock)
    assert asked(changes, clock) == asked(changes, clock) == []
    stream.away = False
    assert asked(changes, clock)
    stream.away = True
    assert asked(changes, clock) == []
    stream.away = False
    store.grant(lambda state: draft(), "user:ada")
    assert [change.target for change in asked(changes, clock)] == ["disable_tool"]


def test_detection_looks_harder_after_a_lease_and_only_once(store: ControlStore, stream: Broken, clock: FakeClock) -> None:
    detection, changes = Detection(METRICS), ControlChanges(stream, clock)
    feed(detection, traffic(Script(seconds=4000)))
    asked(changes, clock)
    store.grant(lambda state: draft(scope={"service.name": "support", "route": "/chat"}), "user:ada")
    for change in (*asked(changes, clock), *ControlChanges(stream, clock)()):
        if change.target == "disable_tool":
            detection.changed(change)
    spent = detection.budget_spent().spent.changes
    policy = DetectPolicy()
    share = policy.false_alarms_per_day * policy.change_share / policy.changes_per_day
    assert 0 < spent <= share + 1e-9, "one change's share of the budget"
