import math

import pytest

from holdfast.control.problem import MAX_NAME, MAX_VALUE, Problem, bad_name, bad_scope, doubled, outside, unknown


def test_a_problem_says_where_and_what() -> None:
    assert str(Problem("routes[a].targets", "is empty")) == "routes[a].targets: is empty"


@pytest.mark.parametrize("name", ["a", "gpt-4.1:mini", "team/support", "A_1@eu", "x" * MAX_NAME])
def test_names_that_are_fine(name: str) -> None:
    assert not list(bad_name("p", name))


@pytest.mark.parametrize("name", ["", " ", "-a", "a b", "a\n", "ä", "a\0", "x" * (MAX_NAME + 1)], ids=ascii)
def test_names_that_are_not(name: str) -> None:
    assert len(list(bad_name("p", name))) == 1


def test_a_name_that_is_there_twice_is_told_once_for_each_time_too_many() -> None:
    assert [p.message for p in doubled("p", ["a", "b", "a", "a"])] == ["'a' is there twice"] * 2


def test_a_reference_into_nothing_is_named() -> None:
    assert [str(p) for p in unknown("p", "x", {"a"}, "target")] == ["p: there is no target 'x'"]
    assert not list(unknown("p", "a", {"a"}, "target"))


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf, -math.inf], ids=str)
def test_a_number_out_of_range_is_told(value: float) -> None:
    assert list(outside("p", value, 0, 1))


def test_the_ends_of_a_range_are_in_it_unless_the_low_one_is_open() -> None:
    assert not [*outside("p", 0, 0, 1), *outside("p", 1, 0, 1), *outside("p", 1, 0, 1, open_low=True)]
    assert list(outside("p", 0, 0, 1, open_low=True))


@pytest.mark.parametrize(
    ("scope", "place", "message"),
    [
        ({}, "p", "is empty"),
        ({"colour": "red"}, "p[colour]", "is no dimension"),
        ({"replica": "pod-b"}, "p[replica]", "nothing that a gateway"),
        ({"route": ""}, "p[route]", "1 to"),
        ({"route": "x" * (MAX_VALUE + 1)}, "p[route]", "1 to"),
    ],
    ids=["empty", "unknown", "machine", "blank", "long"],
)
def test_a_scope_that_says_nothing_or_nonsense_is_refused(scope: dict[str, str], place: str, message: str) -> None:
    (found,) = bad_scope("p", scope)
    assert found.place == place
    assert message in found.message
