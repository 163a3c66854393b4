"""The cohort is the smallest conjunction that explains the failure, or none."""

import numpy as np
import pytest

from holdfast.diagnose.cohort import NEW_VALUE_BONUS, Cohort, CohortScan, Target, everywhere, overlap, ratio
from holdfast.diagnose.frame import Frame
from tests.diagnose.incidents import Shop


def targets(frame: Frame, metric: str = "refusal") -> list[Target]:
    column = frame.columns[metric]
    late = frame.after[column.call]
    observed = column.value[late]
    return [Target(metric, column.call[late], observed, np.full(observed.size, 0.056))]


def scan(shop: Shop, favoured: dict[tuple[str, str], float] | None = None) -> Cohort:
    frame = shop.frame()
    return CohortScan(frame, targets(frame), favoured).run()


def test_one_sick_value_is_named_with_high_confidence() -> None:
    found = scan(Shop().break_(["refusal"], lambda d: "blog" in d["document.source"]))
    assert found.conditions == {"document.source": "blog"}
    assert found.explained
    assert found.confidence > 0.9


def test_a_conjunction_is_named_where_neither_part_alone_is_sick() -> None:
    found = scan(Shop().break_(["refusal"], lambda d: d["tenant"] == ("beta",) and d["region"] == ("eu",)))
    assert found.conditions == {"tenant": "beta", "region": "eu"}


def pods(region: str, count: int) -> Shop:
    return Shop().spread_over("replica", [f"{region}-{n}" for n in range(count)], lambda d: d["region"] == (region,))


def test_one_sick_replica_is_named_rather_than_its_region() -> None:
    shop = pods("eu", 3).break_(["refusal"], lambda d: d.get("replica") == ("eu-1",), 0.3)
    assert scan(shop).conditions == {"replica": "eu-1"}


def test_a_region_with_one_replica_is_called_by_its_own_name() -> None:
    assert scan(pods("eu", 1).break_(["refusal"], lambda d: d["region"] == ("eu",), 0.3)).conditions == {"region": "eu"}


def test_a_sick_region_is_not_blamed_on_the_worst_of_its_replicas() -> None:
    assert scan(pods("eu", 3).break_(["refusal"], lambda d: d["region"] == ("eu",), 0.3)).conditions == {"region": "eu"}


def test_a_thousand_short_lived_replicas_do_not_hide_what_is_sick() -> None:
    shop = Shop().spread_over("replica", [f"pod-{n}" for n in range(1000)])
    assert scan(shop.break_(["refusal"], lambda d: d["tenant"] == ("beta",), 0.3)).conditions == {"tenant": "beta"}


def test_a_condition_that_another_implies_is_left_out() -> None:
    shop = Shop().upgrade("prompt.version", "chat-v1", "chat-v2").break_(["refusal"], lambda d: d["route"] == ("/chat",))
    found = scan(shop, {("prompt.version", "chat-v2"): NEW_VALUE_BONUS})
    assert found.conditions == {"prompt.version": "chat-v2"}


def test_a_new_version_that_holds_no_other_calls_is_left_out_of_a_sick_source() -> None:
    shop = Shop()
    for route in ("chat", "search", "refund"):
        shop.upgrade("prompt.version", f"{route}-v1", "all-v2")
    shop.break_(["refusal"], lambda d: "blog" in d["document.source"])
    assert scan(shop, {("prompt.version", "all-v2"): NEW_VALUE_BONUS}).conditions == {"document.source": "blog"}


def test_a_value_that_everybody_carries_since_onset_is_named_only_if_it_is_new() -> None:
    shop = Shop()
    for route in ("chat", "search", "refund"):
        shop.upgrade("prompt.version", f"{route}-v1", "all-v2")
    shop.break_(["refusal"])
    assert scan(shop).conditions == {}
    assert scan(shop, {("prompt.version", "all-v2"): NEW_VALUE_BONUS}).conditions == {"prompt.version": "all-v2"}


def test_when_everybody_is_hurt_alike_no_dimension_explains_it() -> None:
    found = scan(Shop().break_(["refusal"]))
    assert found.conditions == {}
    assert not found.explained


@pytest.mark.parametrize("seed", range(5))
def test_chance_alone_is_not_blamed_on_a_cohort(seed: int) -> None:
    found = scan(Shop(seed).break_(["refusal"], share=0.2))
    assert found.conditions == {}


def test_where_all_are_hurt_but_one_part_most_the_part_is_not_the_whole_story() -> None:
    shop = Shop().break_(["refusal"], lambda d: d["route"] == ("/chat",), 0.5)
    shop.break_(["refusal"], lambda d: d["route"] == ("/chat",) and d["region"] == ("eu",), 0.5)
    assert scan(shop).conditions == {"route": "/chat"}


def test_a_user_is_named_when_the_failure_is_theirs() -> None:
    shop = Shop()
    for i, dimensions in enumerate(shop.dimensions):
        dimensions["user"] = (f"u{i % 40}",)
    found = scan(shop.break_(["refusal"], lambda d: d["user"] == ("u7",), 0.95))
    assert found.conditions == {"user": "u7"}


def test_without_resamples_the_same_cohort_is_named_and_nothing_is_said_of_its_confidence() -> None:
    frame = Shop().break_(["refusal"], lambda d: d["region"] == ("eu",)).frame()
    quick = CohortScan(frame, targets(frame)).run(resample=False)
    assert quick.conditions == {"region": "eu"}
    assert quick.confidence == 0.0


def test_without_targets_or_dimensions_nothing_is_named() -> None:
    frame = Shop().frame()
    assert CohortScan(frame, []).run() == Cohort()
    bare = Shop()
    bare.dimensions = [{"service.name": ("shop",)} for _ in bare.dimensions]
    assert scan(bare).conditions == {}


def test_the_same_incident_gives_the_same_cohort_twice() -> None:
    shop = Shop().break_(["refusal"], lambda d: d["region"] == ("eu",), 0.15)
    assert scan(shop) == scan(shop)


def test_a_second_metric_helps_to_find_the_cohort() -> None:
    shop = Shop().break_(["refusal", "truncation"], lambda d: d["tenant"] == ("cade",), 0.25)
    frame = shop.frame()
    both = CohortScan(frame, targets(frame) + targets(frame, "truncation")).run()
    assert both.conditions == {"tenant": "cade"}


def test_a_cohort_that_is_no_worse_than_the_outside_scores_nothing() -> None:
    assert ratio(1.0, 10.0, 100.0, 100.0) == 0.0
    assert ratio(50.0, 10.0, 100.0, 100.0) > 10.0


def test_overlap_of_nothing_with_nothing_is_whole() -> None:
    none = np.zeros(3, dtype=np.bool_)
    assert overlap(none, none) == 1.0
    assert overlap(none, ~none) == 0.0


def spread(inside_excess: float, outside_excess: float) -> bool:
    rng = np.random.default_rng(5)
    inside = np.arange(400) < 200
    rates = np.where(inside, inside_excess, outside_excess) + 0.05
    target = Target("refusal", np.arange(400), (rng.random(400) < rates).astype(float), np.full(400, 0.05))
    return everywhere(target, inside)


def test_a_cohort_that_only_alarmed_first_is_not_where_the_harm_is() -> None:
    assert spread(0.3, 0.25)
    assert not spread(0.3, 0.0)
    assert not spread(0.3, 0.03)


def test_a_handful_of_calls_outside_says_nothing() -> None:
    few = Target("refusal", np.arange(220), np.ones(220), np.full(220, 0.05))
    assert not everywhere(few, np.arange(220) < 200)


@pytest.mark.parametrize(("share", "kept"), [(0.5, False), (0.99, True)])
def test_a_wider_cohort_replaces_a_narrow_one_only_where_it_says_nearly_as_much(
    share: float, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.diagnose.cohort.CORNER", share)
    shop = Shop().break_(["refusal"], lambda d: d["route"] == ("/chat",) and d["region"] == ("eu",), 0.2)
    elsewhere = shop.late & np.array([d["route"] != ("/chat",) for d in shop.dimensions])
    shop.values["refusal"] = np.where(elsewhere, 0.2 * shop.values["refusal"], shop.values["refusal"])
    assert scan(shop).conditions == ({"route": "/chat", "region": "eu"} if kept else {"route": "/chat"})


def test_no_cohort_has_a_condition_that_was_refused() -> None:
    frame = Shop().break_(["refusal"], lambda d: d["route"] == ("/chat",)).frame()
    assert CohortScan(frame, targets(frame)).run().conditions == {"route": "/chat"}
    found = CohortScan(frame, targets(frame), refused=[("route", "/chat")]).run()
    assert ("route", "/chat") not in found.conditions.items()
    assert all(("route", "/chat") not in rival.items() for rival, _ in found.rivals)


def test_what_a_detector_named_need_not_beat_the_best_of_many_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CohortScan, "_beats_chance", lambda self, best: False)
    frame = Shop().break_(["refusal"], lambda d: d["route"] == ("/chat",)).frame()
    assert CohortScan(frame, targets(frame)).run().conditions == {}
    assert CohortScan(frame, targets(frame)).run(told=("route", "/chat")).conditions == {"route": "/chat"}
    assert CohortScan(frame, targets(frame)).run(told=("tenant", "acme")).conditions == {}
