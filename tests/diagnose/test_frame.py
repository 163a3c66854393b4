"""Calls are encoded once, whatever number of metrics was scored on them."""

import numpy as np
import pytest

from holdfast.core.call import Dimensions
from holdfast.core.observations import Calls, Observations
from holdfast.diagnose.frame import MOST_VALUES, Frame
from tests.diagnose.incidents import CALLS, ONSET, Shop


def test_a_call_scored_by_many_metrics_is_one_call() -> None:
    frame = Shop().frame()
    assert len(frame) == CALLS
    assert len(frame.columns["refusal"]) == CALLS
    np.testing.assert_array_equal(frame.after, frame.time_ns >= ONSET)


def test_every_value_of_a_multi_valued_dimension_is_a_condition_of_its_own() -> None:
    frame = Shop().frame()
    assert int(frame.mask(("document.source", "faq")).sum() + frame.mask(("document.source", "blog")).sum()) > CALLS // 2
    assert ("document.source", "faq") in frame.conditions


def test_the_application_is_no_condition_and_unknown_values_hold_nowhere() -> None:
    frame = Shop().frame()
    assert "service.name" not in {d for d, _ in frame.conditions}
    assert not frame.mask(("route", "/nowhere")).any()
    assert not frame.cohort({"route": "/chat", "region": "mars"}).any()
    assert frame.cohort({}).all()


def test_a_dimension_with_very_many_values_keeps_the_commonest_ones() -> None:
    shop = Shop()
    for i, dimensions in enumerate(shop.dimensions):
        dimensions["user"] = ("loud",) if i % 3 == 0 else (f"u{i}",)
    users = [v for d, v in shop.frame().conditions if d == "user"]
    assert len(users) == MOST_VALUES
    assert users[0] == "loud"


def test_another_onset_moves_the_border_and_nothing_else() -> None:
    frame = Shop().frame()
    later = frame.since(ONSET + 1)
    assert int(later.after.sum()) == int(frame.after.sum()) - 1
    assert later.columns is frame.columns


def test_equal_span_ids_of_two_traces_are_two_calls() -> None:
    def rows(metric: str, traces: list[str]) -> Observations:
        n = len(traces)
        dimensions: list[Dimensions] = [{"route": (f"/{t}",)} for t in traces]
        return Observations.of(
            metric=metric, time_ns=np.arange(n), value=np.ones(n), trace_id=traces, span_id=["s"] * n, dimensions=dimensions
        )

    frame = Frame({"a": rows("a", ["x"]), "b": rows("b", ["y", "x", "y"]), "c": rows("c", ["y"])}, ONSET)
    assert [frame.key(i) for i in range(len(frame))] == [("x", "s"), ("y", "s")]
    assert frame.columns["b"].call.tolist() == [1, 0, 1]
    assert frame.columns["c"].call.tolist() == [1]
    assert frame.mask(("route", "/y")).tolist() == [False, True]


def test_a_late_score_of_a_call_that_is_known_already_is_one_of_that_call() -> None:
    kinds: list[Dimensions] = [{"route": ("/chat",)}, {"route": ("/late",)}]
    ids = {"trace_id": ["x", "y", "x"], "span_id": ["s", "s", "s"]}
    calls = Calls(time_ns=np.array([1, 2, 3]), kind=np.array([0, 0, 1]), kinds=kinds, **ids)
    told = {
        "a": Observations(metric="a", calls=calls, call=np.array([0, 1]), value=np.zeros(2)),
        "b": Observations(metric="b", calls=calls, call=np.array([1, 2]), value=np.ones(2)),
    }
    frame = Frame(told, 0)
    assert [frame.key(i) for i in range(len(frame))] == [("x", "s"), ("y", "s")]
    assert frame.columns["b"].call.tolist() == [1, 0]
    assert frame.time_ns.tolist() == [3, 2]
    assert not frame.mask(("route", "/late")).any()


def test_profiles_tell_the_same_as_masks() -> None:
    frame = Shop().frame()
    profiles = frame.profiles
    assert len(profiles) < len(frame) // 4
    for holds, condition in zip(profiles.holds, frame.conditions, strict=True):
        np.testing.assert_array_equal(holds[profiles.of_call], frame.mask(condition))


def test_a_mask_cannot_be_written_to_as_it_is_shared() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Shop().frame().mask(("route", "/chat"))[0] = True


def test_calls_that_carry_a_dimension_are_told_from_those_without() -> None:
    shop = Shop()
    del shop.dimensions[0]["model"]
    carries = shop.frame().carries("model")
    assert not carries[0]
    assert carries[1:].all()
    assert not shop.frame().carries("user").any()


def test_without_scores_there_are_no_calls_and_no_conditions() -> None:
    frame = Frame({}, ONSET)
    assert len(frame) == 0
    assert frame.conditions == []
    assert frame.first_seen_ns(("route", "/chat")) == ONSET
    assert frame.values("route") == []
