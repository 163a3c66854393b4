import numpy as np

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


def test_a_new_version_of_a_known_application_is_judged_at_once_and_a_new_route_is_not() -> None:
    watched = watch()
    place(watched, 0)
    known(watched, 2000, 60)
    route, version = place(watched, 1, 2)
    assert watched.ground.index.segments[1].dimension == "route"
    assert watched.streams.mode[route] == LEARNING
    assert watched.streams.mode[version] == WATCHING
    assert watched.streams.null[version] < 0.08


def test_a_new_version_makes_its_application_look_harder() -> None:
    watched = watch()
    place(watched, 0)
    known(watched, 2000, 60)
    place(watched, 2)
    assert watched.streams.evidence[0].min() > 0


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
