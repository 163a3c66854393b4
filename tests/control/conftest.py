"""A control store on a stream in memory, with a clock that stands still until a test moves it."""

import pytest

from holdfast.control.store import ControlStore
from holdfast.testing.clock import FakeClock
from holdfast.testing.control import example_desired
from holdfast.testing.streams import MemoryStream

START_NS = 1_700_000_000_000_000_000


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START_NS)


@pytest.fixture
def stream() -> MemoryStream:
    return MemoryStream()


@pytest.fixture
def store(stream: MemoryStream, clock: FakeClock) -> ControlStore:
    """At version 1: the example is configured."""
    made = ControlStore(stream, clock)
    made.configure(example_desired(), "user:ada", "first configuration", 0)
    return made
