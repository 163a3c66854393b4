import numpy as np

from holdfast.core.call import Dimensions
from holdfast.core.signal import Segment
from holdfast.detect.segments import OTHER, RELEASED, SegmentIndex


def index(max_segments: int = 1000, **max_values: int) -> SegmentIndex:
    return SegmentIndex(max_segments, max_values)


def of(segments: SegmentIndex, dimensions: Dimensions) -> set[str]:
    profile = segments.profile(dimensions)
    return {str(segments.segments[s]) for s in segments.profiles[profile]}


def test_a_call_belongs_to_its_application_and_to_every_value_of_every_dimension() -> None:
    found = of(index(), {"service.name": ("shop",), "route": ("/a",), "tool": ("search", "buy")})
    assert found == {"shop", "shop[route=/a]", "shop[tool=search]", "shop[tool=buy]"}


def test_users_are_not_segments_by_themselves() -> None:
    assert of(index(), {"service.name": ("shop",), "user": ("u1",)}) == {"shop"}


def test_replicas_have_no_streams_and_make_no_profiles() -> None:
    segments = index()
    profiles = {segments.profile({"service.name": ("shop",), "replica": (f"pod-{n}",)}) for n in range(100)}
    assert len(profiles) == 1
    assert {str(segment) for segment in segments.segments} == {"shop"}


def test_a_call_without_a_service_is_counted_under_one_name() -> None:
    assert of(index(), {"route": ("/a",)}) == {"unknown_service", "unknown_service[route=/a]"}


def test_values_over_the_bound_go_to_other_and_are_counted() -> None:
    segments = index(tenant=2)
    for tenant in "abcd":
        segments.profile({"service.name": ("shop",), "tenant": (tenant,)})
    assert of(segments, {"service.name": ("shop",), "tenant": ("z",)}) == {"shop", f"shop[tenant={OTHER}]"}
    assert segments.overflow["tenant"] == 3


def test_segments_in_all_are_bounded_whatever_comes() -> None:
    segments = index(max_segments=10)
    for i in range(500):
        segments.profile({"service.name": ("shop",), "route": (f"/{i}",), "model": (f"m{i}",)})
    assert len(segments.segments) <= 10 + 3


def test_expanding_gives_each_call_its_segments_in_order() -> None:
    segments = index()
    one = segments.profile({"service.name": ("shop",), "route": ("/a",)})
    two = segments.profile({"service.name": ("shop",)})
    rows, numbers = segments.expand(np.array([two, one, two]))
    assert rows.tolist() == [0, 1, 1, 2]
    assert [str(segments.segments[n]) for n in numbers] == ["shop", "shop", "shop[route=/a]", "shop"]


def test_a_snapshot_keeps_the_numbers() -> None:
    segments = index()
    segments.profile({"service.name": ("shop",), "route": ("/a", "/b")})
    again = index()
    segments.overflow["tenant"] = 4
    again.load(segments.state())
    assert again.segments == segments.segments
    assert again.app == segments.app
    assert again.find(Segment("shop", "route", "/b")) == segments.find(Segment("shop", "route", "/b"))
    assert again.overflow["tenant"] == 4


def test_a_segment_with_a_twin_has_no_observations_of_its_own() -> None:
    segments = index()
    profile = segments.profile({"service.name": ("shop",), "route": ("/a",), "model": ("m",)})
    route = segments.find(Segment("shop", "route", "/a"))
    rows = np.array([profile])
    assert route in segments.expand(rows)[1].tolist()
    segments.pair({route: 0})
    assert route not in segments.expand(rows)[1].tolist()
    segments.pair({})
    assert route in segments.expand(rows)[1].tolist()


def test_the_home_of_a_version_is_its_route_until_it_is_met_on_another() -> None:
    segments = index()
    segments.profile({"service.name": ("shop",), "route": ("/a",), "prompt.version": ("v1",)})
    version, route = (segments.find(Segment("shop", d, v)) for d, v in (("prompt.version", "v1"), ("route", "/a")))
    assert segments.home[version] == route
    assert segments.moved == []
    segments.profile({"service.name": ("shop",), "route": ("/b",), "prompt.version": ("v1",)})
    assert segments.home[version] == 0
    assert segments.moved == [version]


def test_a_number_that_was_released_is_used_again_and_the_profiles_follow() -> None:
    segments = index(tenant=2)
    shop = {"service.name": ("shop",)}
    for tenant in "ab":
        segments.profile({**shop, "tenant": (tenant,)})
    number = segments.find(Segment("shop", "tenant", "a"))
    segments.release([number])
    assert segments.find(Segment("shop", "tenant", "a")) == -1
    assert segments.segments[number] == RELEASED
    assert of(segments, {**shop, "tenant": ("c",)}) == {"shop", "shop[tenant=c]"}
    assert segments.find(Segment("shop", "tenant", "c")) == number
    assert of(segments, {**shop, "tenant": ("a",)}) == {"shop", f"shop[tenant={OTHER}]"}


def test_a_snapshot_keeps_released_numbers_free_and_applications_right() -> None:
    segments, again = index(), index()
    for service in ("one", "two"):
        segments.profile({"service.name": (service,), "route": ("/a", "/b")})
    segments.release([1, 2])
    # Number 1 goes to an application that is younger than number 3, and number 2 to its route.
    segments.profile({"service.name": ("three",), "route": ("/c",)})
    segments.release([2])
    segments.saw({0: 77, 3: 77})
    again.load(segments.state())
    assert again.state() == segments.state()
    assert (again.app, again.last_ns) == (segments.app, segments.last_ns)
    for each in (segments, again):
        each.profile({"service.name": ("two",), "route": ("/d",)})
        assert each.find(Segment("two", "route", "/d")) == 2
        assert each.app[2] == 3


def test_what_has_left_is_no_home_and_no_twin() -> None:
    segments = index()
    segments.profile({"service.name": ("shop",), "route": ("/a",), "prompt.version": ("v1",)})
    version = segments.find(Segment("shop", "prompt.version", "v1"))
    segments.pair({version: 1})
    segments.release([version])
    assert (segments.home, segments.twins, segments.moved) == ({}, {}, [])


def test_applications_are_bounded_too() -> None:
    segments = index(max_segments=10)
    for i in range(100):
        segments.profile({"service.name": (f"app{i}",)})
    assert len(segments.segments) == 10 + 1
    assert of(segments, {"service.name": ("app99",)}) == {OTHER}
    assert of(segments, {"service.name": ("app3",)}) == {"app3"}
    assert segments.overflow["service.name"] == 90
