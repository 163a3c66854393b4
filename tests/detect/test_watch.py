import numpy as np
import pytest

from holdfast.core.signal import Segment
from holdfast.detect.policy import DetectPolicy
from holdfast.detect.protocol import Ground
from holdfast.detect.streams import LEARNING, WATCHING, N, X
from holdfast.detect.watch import Watch
from tests.detect.simulation import METRICS


def watch(**settings: int) -> Watch:
    ground = Ground(METRICS, DetectPolicy(**settings))  # type: ignore[arg-type]
    ground.table.metric_index("refusal")
    ground.index.profile({"service.name": ("shop",), "prompt.version": ("v1",), "route": ("/a",)})
    return Watch(ground)


def place(watched: Watch, *segments: int) -> list[int]:
    n = len(segments)
    return [int(s) for s in watched.place(np.array(segments), np.zeros(n, np.int64), np.ones(n, np.int64))]


def known(watched: Watch, calls: float, bad: float) -> None:
    s = watched.streams
    s.base[0, N], s.base[0, X], s.mode[0], s.threshold[0] = calls, bad, WATCHING, 1e6
    watched.refresh(np.array([0]))


def test_a_segment_gets_its_application_as_parent_whatever_comes_first() -> None:
    watched = watch()
    part, again = place(watched, 1, 1)
    assert part == again
    assert watched.streams.segment[watched.streams.parent[part]] == 0


def settled(watched: Watch, row: int, calls: float = 2000, bad: float = 60) -> None:
    s = watched.streams
    s.base[row, N], s.base[row, X], s.mode[row], s.threshold[row] = calls, bad, WATCHING, 1e6
    watched.refresh(np.array([row]))


def test_a_new_version_on_a_known_route_is_judged_at_once_and_a_new_route_is_not() -> None:
    watched = watch()
    place(watched, 0)
    known(watched, 2000, 60)
    (route,) = place(watched, 1)
    assert watched.ground.index.segments[1].dimension == "route"
    assert watched.streams.mode[route] == LEARNING
    settled(watched, route)
    (version,) = place(watched, 2)
    assert watched.streams.mode[version] == WATCHING
    assert watched.streams.null[version] < 0.08


def test_a_version_of_a_route_that_is_new_itself_is_held_to_nothing() -> None:
    watched = watch()
    place(watched, 0)
    known(watched, 2000, 60)
    _, version = place(watched, 1, 2)
    assert watched.streams.mode[version] == LEARNING


def test_a_new_version_makes_its_application_look_harder() -> None:
    watched = watch()
    place(watched, 0)
    known(watched, 2000, 60)
    (route,) = place(watched, 1)
    settled(watched, route)
    place(watched, 2)
    assert watched.streams.evidence[0].min() > 0


def two_routes() -> tuple[Watch, int, int]:
    """An application and its routes /a and /b, all known well; the streams of the routes."""
    watched = watch()
    watched.ground.index.profile({"service.name": ("shop",), "route": ("/b",)})
    place(watched, 0)
    known(watched, 2000, 60)
    other = watched.ground.index.find(Segment("shop", "route", "/b"))
    a, b = place(watched, 1, other)
    for row in (a, b):
        settled(watched, row)
    return watched, a, b


def test_a_change_gives_a_head_start_to_the_application_and_to_all_its_segments() -> None:
    watched, a, b = two_routes()
    watched.attend(0, 1)
    evidence = watched.streams.evidence
    assert evidence[[0, a, b]].min() > 0
    assert evidence[a, 0] == evidence[b, 0]


def test_a_change_with_a_scope_leaves_what_is_for_segments_to_those_that_it_names() -> None:
    wide, a, _ = two_routes()
    wide.attend(0, 1)
    scoped, _, b = two_routes()
    scoped.attend(0, 1, {"route": "/a", "service.name": "shop"})
    assert scoped.streams.evidence[a, 0] == pytest.approx(2 * wide.streams.evidence[a, 0])
    assert scoped.streams.evidence[b].max() == 0
    assert scoped.streams.evidence[0, 0] == wide.streams.evidence[0, 0]


def test_a_scope_that_nobody_knows_narrows_nothing_down() -> None:
    watched, a, b = two_routes()
    watched.attend(0, 1, {"route": "/elsewhere"})
    assert watched.streams.evidence[[0, a, b]].min() > 0


def test_what_a_change_spends_is_within_its_share_of_the_budget_however_many_segments_there_are() -> None:
    watched, _, _ = two_routes()
    watched.attend(0, 1)
    policy = watched.ground.policy
    assert 0 < watched.spent.changes <= policy.false_alarms_per_day * policy.change_share / policy.changes_per_day + 1e-12


def test_where_there_is_no_room_a_stream_is_refused_and_counted() -> None:
    watched = watch(max_streams=1)
    assert place(watched, 0, 1) == [0, -1]
    assert watched.refused == 1


def test_a_snapshot_keeps_the_grid() -> None:
    watched, again = watch(), watch()
    streams = place(watched, 0, 1, 2)
    again.load(watched.state())
    assert place(again, 0, 1, 2) == streams
    assert again.state() == watched.state()


def test_amounts_of_a_new_version_wait_for_what_its_own_route_is_used_to() -> None:
    watched, other = watch(), watch()
    for each in (watched, other):
        each.ground.table.metric_index("latency")
    latency = watched.ground.table.of_metric[watched.ground.table.metric_index("latency")][0]

    def put(to: Watch, segment: int) -> int:
        return int(to.place(np.array([segment]), np.array([latency]), np.ones(1, np.int64))[0])

    settled(watched, put(watched, 0))
    assert watched.streams.mode[put(watched, 2)] == LEARNING
    settled(other, put(other, 0))
    route = put(other, 1)
    settled(other, route)
    version = put(other, 2)
    assert other.streams.parent[version] == route
    assert other.streams.mode[version] == WATCHING


def test_a_version_that_is_met_on_a_second_route_is_compared_with_its_application() -> None:
    watched = watch()
    whole, route, version = place(watched, 0, 1, 2)
    assert watched.streams.parent[version] == whole or watched.streams.parent[version] == route
    watched.ground.index.profile({"service.name": ("shop",), "prompt.version": ("v1",), "route": ("/b",)})
    watched.settle_in()
    assert watched.streams.parent[version] == whole


def test_a_segment_that_parts_from_its_twin_goes_on_with_the_same_baseline() -> None:
    watched = watch()
    whole, route = place(watched, 0, 1)
    known(watched, 2000, 60)
    watched.ground.evidence.saw(0, [(i, (0, 1, 2)) for i in range(200)])
    watched.pair(0)
    assert watched.ground.index.twins == {1: 0, 2: 0}
    assert watched.find(1, 0) == whole
    watched.ground.evidence.saw(0, [(200 + i, (0, 1) if i % 2 else (0, 2)) for i in range(800)])
    watched.pair(0)
    assert watched.ground.index.twins == {}
    assert watched.streams.base[route].tolist() == watched.streams.base[whole].tolist()
    assert watched.streams.mode[route] == WATCHING


def test_a_new_version_is_held_closer_to_what_was_there_than_a_new_document_source() -> None:
    watched = watch()
    watched.ground.index.profile({"service.name": ("shop",), "route": ("/a",), "document.source": ("wiki",)})
    place(watched, 0)
    known(watched, 2000, 400)
    (route,) = place(watched, 1)
    settled(watched, route, bad=400)
    version, source = place(watched, 2, 3)
    s = watched.streams
    assert s.strength[version] > 4 * s.strength[source]
    assert s.null[version] < s.null[source]


def test_a_new_version_is_not_held_closer_than_its_route_is_known() -> None:
    watched = watch()
    place(watched, 0)
    known(watched, 2000, 60)
    (route,) = place(watched, 1)
    settled(watched, route, calls=300, bad=9)
    (version,) = place(watched, 2)
    assert watched.streams.strength[version] == 300


def test_budgets_of_all_streams_sum_to_their_shares_and_harmless_metrics_have_less() -> None:
    watched = watch(false_alarms_per_day=1)
    watched.ground.table.metric_index("tokens")
    columns = watched.ground.table.columns
    rows = [
        int(r)
        for column in range(len(columns))
        for r in watched.place(np.array([0, 1]), np.array([column] * 2), np.ones(2, np.int64))
    ]
    watched.streams.mode[rows] = WATCHING
    budget = watched.budgets(np.array(rows))
    whole = watched.streams.parent[rows] < 0
    policy = watched.ground.policy
    assert budget[whole].sum() == pytest.approx(policy.app_share)
    assert budget[~whole].sum() == pytest.approx(policy.segment_share)
    harmless = np.array([columns[int(c)].metric == "tokens" for c in watched.streams.column[rows]])
    assert budget[whole & harmless].max() == pytest.approx(budget[whole & ~harmless].min() / 4)
