"""Actions on a control plane with the example configured, on a stream in memory."""

import pytest

from holdfast.act.containment import Containment
from holdfast.control.store import ControlStore
from holdfast.testing.clock import FakeClock
from holdfast.testing.control import example_desired
from holdfast.testing.streams import MemoryStream


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> ControlStore:
    made = ControlStore(MemoryStream(), clock)
    made.configure(example_desired(), "user:ada", "first configuration", 0)
    return made


@pytest.fixture
def containment(store: ControlStore) -> Containment:
    return Containment(store)
