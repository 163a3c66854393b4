import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.spread import Spread

SPREAD = Spread(
    calls=20, beyond=0.8, within=(("route", "/a", 18), ("tenant", "acme", 9), ("tenant", "other", 4), ("user", "u1", 1))
)


@pytest.mark.parametrize(
    ("conditions", "share"),
    [
        ({}, 1.0),
        ({"route": "/a"}, 0.9),
        ({"route": "/b"}, 0.0),
        ({"route": "/a", "tenant": "acme"}, 0.45),
        ({"region": "eu"}, 0.0),
        ({"replica": "pod-b"}, 1.0),
        ({"replica": "pod-b", "route": "/a"}, 0.9),
    ],
)
def test_the_share_of_a_conjunction_is_at_most_that_of_its_rarest_condition(conditions: dict[str, str], share: float) -> None:
    assert SPREAD.share(conditions) == pytest.approx(share)


def test_a_value_beyond_the_bounds_of_its_dimension_may_be_any_of_the_others() -> None:
    assert SPREAD.share({"tenant": "the-sixtieth"}) == pytest.approx(0.2)


@pytest.mark.parametrize(("inside", "outside"), [(0, True), (4, True), (8, False), (16, False)])
def test_what_is_beyond_the_usual_lies_outside_where_hardly_a_call_is_inside(inside: int, outside: bool) -> None:
    spread = Spread(calls=20, beyond=0.8, within=(("route", "/a", inside),) if inside else ())
    assert spread.outside({"route": "/a"}) is outside


@pytest.mark.parametrize(("calls", "beyond"), [(4, 0.9), (0, 0.9), (40, 0.05), (40, 0.0)])
def test_too_few_calls_or_hardly_more_than_usual_say_nothing_of_where_they_lie(calls: int, beyond: float) -> None:
    assert not Spread(calls=calls, beyond=beyond).outside({"route": "/a"})


def test_everybody_is_everywhere() -> None:
    assert not SPREAD.outside({})


@given(st.integers(0, 256), st.floats(0, 1), st.integers(0, 256))
def test_what_holds_most_of_the_calls_is_never_outside(calls: int, beyond: float, inside: int) -> None:
    spread = Spread(calls=calls, beyond=beyond, within=(("route", "/a", min(inside, calls)),))
    if 2 * min(inside, calls) >= calls:
        assert not spread.outside({"route": "/a"})


def test_it_survives_a_checkpoint() -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(SPREAD), type=Spread) == SPREAD


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("abcdefgh", "abcd", True),
        ("abcdefgh", "abcxyz", False),
        ("abc", "abc", False),
        ("abcdefghijkl", "abcdmnopqrst", False),
        ("", "abcdefgh", False),
    ],
    ids=["one holds the other", "half, but three only", "three", "a third", "none"],
)
def test_two_signals_are_about_the_same_calls_where_they_share_half_of_the_fewer(one: str, other: str, same: bool) -> None:
    spreads = [Spread(calls=len(traces), beyond=0.8, traces=tuple(traces)) for traces in (one, other)]
    assert spreads[0].same_calls(spreads[1]) is spreads[1].same_calls(spreads[0]) is same
