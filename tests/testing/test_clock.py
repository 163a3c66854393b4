import pytest

from holdfast.testing.clock import FakeClock


def test_a_fake_clock_stands_still() -> None:
    clock = FakeClock(5)
    assert (clock.now_ns(), clock.now_ns()) == (5, 5)


def test_a_fake_clock_moves_when_told() -> None:
    clock = FakeClock(0)
    assert clock.advance(1.5) == clock.now_ns() == 1_500_000_000


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        FakeClock().advance(-1)
