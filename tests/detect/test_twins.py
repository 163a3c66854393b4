from hypothesis import given
from hypothesis import strategies as st

from holdfast.detect.twins import MIN_TRACES, twins_of

APP, ROUTE, VERSION, TENANT = 0, 1, 2, 3
ORDER = [-1, 0, 1, 2]


def test_the_only_value_of_a_dimension_is_spoken_for_by_the_application() -> None:
    assert twins_of([(APP, ROUTE)] * 100, {}, (), ORDER) == {ROUTE: APP}


def test_a_version_that_is_all_of_its_route_is_spoken_for_by_the_route() -> None:
    traces = [(APP, ROUTE, VERSION)] * 60 + [(APP, TENANT)] * 60
    assert twins_of(traces, {}, (), ORDER) == {VERSION: ROUTE}


def test_two_per_cent_of_difference_is_the_same_and_ten_are_not() -> None:
    assert twins_of([(APP, ROUTE)] * 99 + [(APP,)], {}, (), ORDER) == {ROUTE: APP}
    assert twins_of([(APP, ROUTE)] * 90 + [(APP,)] * 10, {}, (), ORDER) == {}


def test_what_was_paired_stays_so_until_it_is_clearly_different() -> None:
    traces = [(APP, ROUTE)] * 96 + [(APP,)] * 4
    assert twins_of(traces, {}, (), ORDER) == {}
    assert twins_of(traces, {ROUTE: APP}, (), ORDER) == {ROUTE: APP}
    assert twins_of(traces[:50] + [(APP,)] * 40, {ROUTE: APP}, (), ORDER) == {}


def test_too_few_traces_say_nothing() -> None:
    assert twins_of([(APP, ROUTE)] * (MIN_TRACES - 1), {}, (), ORDER) == {}
    assert twins_of([], {}, (), ORDER) == {}


def test_what_has_no_traffic_any_more_stays_paired() -> None:
    assert twins_of([(APP, ROUTE)] * 100, {VERSION: ROUTE}, (), ORDER)[VERSION] == ROUTE


def test_a_segment_that_must_keep_its_streams_is_never_paired() -> None:
    assert twins_of([(APP, ROUTE)] * 100, {}, (ROUTE,), ORDER) == {}


@given(st.lists(st.sets(st.sampled_from((ROUTE, VERSION, TENANT))).map(lambda parts: (APP, *sorted(parts))), max_size=200))
def test_who_speaks_for_another_has_streams_of_its_own(traces: list[tuple[int, ...]]) -> None:
    found = twins_of(traces, {}, (), ORDER)
    assert not set(found) & set(found.values())
    assert APP not in found
