import msgspec
import numpy as np
import pytest

from holdfast.core.signal import Segment
from holdfast.core.trace import ScoredTrace
from holdfast.detect.batch import Extractor
from holdfast.detect.observations import Panel
from holdfast.detect.panels import Panels, PanelState
from holdfast.detect.policy import DetectPolicy
from holdfast.detect.protocol import Ground
from tests.detect.simulation import METRICS, Script, traffic

TRACES = traffic(Script(seconds=1200, seed=4))


class Maker:
    """Panels with what they need."""

    def __init__(self) -> None:
        self.ground = Ground(METRICS, DetectPolicy(reference_calls=100))
        self.extractor = Extractor(self.ground.index, self.ground.table, self.ground.policy)
        self.panels = Panels(self.ground)

    def make(self, traces: list[ScoredTrace]) -> list[Panel]:
        return self.panels.of(self.extractor.extract(traces))

    def columns(self, panels: list[Panel]) -> list[list[str]]:
        return [[str(self.ground.table.columns[c].metric) for c in panel.columns.tolist()] for panel in panels]

    def column(self, metric: str, kind: str) -> int:
        return next(n for n, c in enumerate(self.ground.table.columns) if (c.metric, c.kind) == (metric, kind))


def without(trace: ScoredTrace, metric: str) -> ScoredTrace:
    return msgspec.structs.replace(trace, scores=tuple(s for s in trace.scores if s.metric != metric))


def test_metrics_that_every_call_has_are_one_panel() -> None:
    maker = Maker()
    (panel,) = maker.make(TRACES[:50])
    assert panel.x.shape == (50, len(panel.columns))
    assert set(maker.columns([panel])[0]) >= {"ungrounded_answer", "refusal", "error", "relevance"}
    assert panel.reached_ns.tolist() == [t.trace.end_ns for t in TRACES[:50]]


def test_a_metric_that_some_calls_lack_is_a_panel_of_its_own_with_the_others_alone() -> None:
    maker = Maker()
    some = [without(trace, "refusal") if number % 3 else trace for number, trace in enumerate(TRACES[:30])]
    panels = maker.make(some)
    (seldom,) = [panel for panel, names in zip(panels, maker.columns(panels), strict=True) if names == ["refusal"]]
    assert len(seldom.x) == 10
    assert seldom.order.tolist() == list(range(0, 30, 3))


def test_a_score_of_which_low_values_are_bad_is_mirrored_and_its_raw_value_kept() -> None:
    maker = Maker()
    (panel,) = maker.make(TRACES[:20])
    at = panel.columns.tolist().index(maker.column("relevance", "score"))
    told = [s.value for trace in TRACES[:20] for s in trace.scores if s.metric == "relevance"]
    assert np.allclose(panel.value[:, at], told)
    assert np.allclose(panel.x[:, at], 1 - np.array(told))


def test_amounts_wait_for_their_reference_and_then_none_is_lost() -> None:
    maker = Maker()
    rank, seen = 0, 0
    for at in range(0, 150, 30):
        for panel in maker.make(TRACES[at : at + 30]):
            rank = maker.column("latency", "rank")
            seen += len(panel.x) if rank in panel.columns.tolist() else 0
        assert seen == (0 if at + 30 < 100 else at + 30)


def test_a_recalibrated_metric_waits_anew() -> None:
    maker = Maker()
    maker.make(TRACES[:120])
    rank = maker.column("latency", "rank")
    maker.panels.recalibrate(0, maker.ground.table.metric_index("latency"))
    assert not [p for p in maker.make(TRACES[120:140]) if rank in p.columns.tolist()]


def test_an_application_that_is_dropped_waits_anew_and_nothing_of_it_waits() -> None:
    maker = Maker()
    maker.make(TRACES[:120])
    maker.panels.drop(frozenset({1}))
    assert maker.panels.state().references
    maker.panels.drop(frozenset({0}))
    assert maker.panels.state() == PanelState([], [])


def test_what_waits_is_not_told_to_segments_that_are_forgotten() -> None:
    maker = Maker()
    maker.make(TRACES[:50])
    gone = maker.ground.index.find(Segment("support", "route", "/chat"))
    maker.panels.forget(frozenset({gone}))
    rank = None
    for panel in maker.make(TRACES[50:110]):
        rank = maker.column("latency", "rank")
        if rank in panel.columns.tolist():
            before = panel.place < 50
            assert gone not in panel.segment[before].tolist()
            assert gone in panel.segment[~before].tolist()
    assert rank is not None


def attacks(user: str, values: list[float]) -> list[ScoredTrace]:
    found = list[ScoredTrace]()
    for trace, value in zip((t for t in TRACES if t.trace.dimensions["user"] != (user,)), values, strict=False):
        call = trace.trace.calls[0]
        call = msgspec.structs.replace(call, dimensions={**call.dimensions, "user": (user,)})
        scores = tuple(msgspec.structs.replace(s, value=value) for s in trace.scores if s.metric == "prompt_injection")
        found.append(ScoredTrace(type(trace.trace)(trace.trace.trace_id, (call,)), scores))
    return found


@pytest.mark.parametrize("cuts", [[6], [1, 6], [2, 3, 6]], ids=["at once", "first alone", "in three"])
def test_a_user_is_watched_from_the_call_after_the_first_bad_one(cuts: list[int]) -> None:
    maker, low = Maker(), 0
    told, traces = list[float](), attacks("mallory", [0.0, 1.0, 0.2, 1.0, 0.0, 0.9])
    for high in cuts:
        for panel in maker.make(traces[low:high]):
            if maker.ground.index.segments[int(panel.segment[0])].dimension == "user":
                told += panel.x[:, 0].tolist()
        low = high
    assert told == [0.2, 1.0, 0.0, 0.9]


def test_a_user_who_does_nothing_bad_and_one_without_a_name_are_not_watched() -> None:
    maker = Maker()
    for user, values in (("ann", [0.0, 0.4, 0.0]), ("", [1.0, 1.0, 1.0])):
        panels = maker.make(attacks(user, values))
        assert not [p for p in panels if maker.ground.index.segments[int(p.segment[0])].dimension == "user"]


def test_bad_calls_are_remembered_with_their_segments_and_users() -> None:
    maker = Maker()
    maker.make(attacks("mallory", [0.0, 1.0, 0.2]))
    column = maker.column("prompt_injection", "score")
    (call,) = maker.ground.evidence.bad_between(0, column, 0, (0, 2**62))
    assert (call.badness, call.user) == (1.0, "mallory")


def test_a_restored_maker_knows_the_references_and_what_waits() -> None:
    first, second = Maker(), Maker()
    first.make(TRACES[:120])
    first.panels.recalibrate(0, first.ground.table.metric_index("tokens"))
    first.make(TRACES[120:140])
    state = msgspec.msgpack.encode(first.panels.state())
    second.make(TRACES[:140])
    second.panels.load(msgspec.msgpack.decode(state, type=PanelState))
    assert msgspec.msgpack.encode(second.panels.state()) == state
    for one, other in zip(first.make(TRACES[140:240]), second.make(TRACES[140:240]), strict=True):
        assert np.array_equal(one.columns, other.columns)
        assert np.array_equal(one.x, other.x)


def test_scores_of_unbounded_size_are_cut_at_one() -> None:
    maker = Maker()
    big = msgspec.structs.replace(TRACES[0].scores[0], value=7.0)
    (panel,) = maker.make([msgspec.structs.replace(TRACES[0], scores=(big,))])
    assert panel.x.tolist() == [[1.0]]


def test_what_columns_say_of_a_request_is_kept_with_the_kind_of_its_question() -> None:
    maker, traces = Maker(), []
    for one in TRACES[:50]:
        said = msgspec.structs.replace(one.scores[0], metric="question_kind", value=7.0)
        traces.append(msgspec.structs.replace(one, scores=(*one.scores, said)))
    maker.make([*traces, *TRACES[50:60]])
    app = maker.ground.index.service_of(maker.ground.index.profile(TRACES[0].trace.dimensions))
    times, kinds, x = maker.ground.evidence.asked(app, maker.column("refusal", "score"), app)
    assert kinds.tolist() == [7] * 50
    assert x.tolist() == [next(s.value for s in one.scores if s.metric == "refusal") for one in TRACES[:50]]
    assert times.tolist() == sorted(times.tolist())
