"""What a metric did is told by how far it moved, and silence where it could not be seen."""

import numpy as np

from holdfast.diagnose.frame import Frame
from holdfast.diagnose.moves import Move, Step, arrived, measure, reference, steps
from tests.diagnose.incidents import METRICS, ONSET, Shop


def moved(shop: Shop, cohort: dict[str, str] | None = None, replaced: str = "") -> tuple[dict[str, Move], dict[str, Step]]:
    frame = shop.frame()
    inside = frame.cohort(cohort or {})
    found = measure(frame, METRICS, inside, reference(frame, inside, replaced))
    return found, steps(found)


def test_a_broken_metric_surges_a_scaled_amount_moves_and_the_rest_is_flat() -> None:
    found, bins = moved(Shop().break_(["refusal"]).scale("cost", 0.4))
    assert bins["refusal"] is Step.SURGE
    assert bins["cost"] is Step.FALL
    assert bins["truncation"] is Step.FLAT
    np.testing.assert_allclose(found["refusal"].change, 0.6 * 0.85, atol=0.06)


def test_a_metric_that_moves_little_beside_one_that_moves_much_only_rises() -> None:
    shop = Shop().break_(["refusal"], share=0.8).break_(["truncation"], share=0.08)
    assert moved(shop)[1]["truncation"] is Step.RISE


def test_a_new_version_is_compared_with_the_routes_that_it_serves() -> None:
    shop = Shop()
    for i, d in enumerate(shop.dimensions):
        if d["route"] == ("/chat",):
            shop.values["truncation"][i] = 0.5
    shop.upgrade("prompt.version", "chat-v1", "chat-v2").break_(["refusal"], lambda d: d["prompt.version"] == ("chat-v2",))
    found, bins = moved(shop, {"prompt.version": "chat-v2"}, "prompt.version")
    np.testing.assert_allclose(found["truncation"].before, 0.5, atol=0.01)
    assert bins["truncation"] is Step.FLAT


def test_what_everybody_does_is_not_the_cohorts_doing() -> None:
    shop = Shop().scale("latency", 3.0).break_(["refusal"], lambda d: d["tenant"] == ("acme",))
    found, _ = moved(shop, {"tenant": "acme"})
    assert abs(found["latency"].change) < 0.05


def test_few_calls_that_could_hide_a_move_say_nothing_rather_than_calm() -> None:
    shop = Shop().break_(["refusal"], share=0.3)
    frame = Frame({m: o.between(0, ONSET + 15 * 60 * 10**9) for m, o in shop.observations().items()}, ONSET)
    inside = np.ones(len(frame), dtype=np.bool_)
    bins = steps(measure(frame, METRICS, inside, reference(frame, inside)))
    assert "latency" not in bins or bins["latency"] is not Step.SURGE
    assert moved(Shop(calls=30))[0] == {}


def test_a_metric_that_is_not_scored_since_onset_did_not_move() -> None:
    assert "refusal" not in moved(Shop().silence("refusal"))[0]


def test_nothing_compares_with_a_language_that_came_with_the_onset() -> None:
    frame = Shop().arrive("language", "es").break_(["refusal"], lambda d: d.get("language") == ("es",)).frame()
    cohort = {"language": "es"}
    assert not reference(frame, frame.cohort(cohort), "", cohort).any()
    assert measure(frame, METRICS, frame.cohort(cohort), reference(frame, frame.cohort(cohort), "", cohort)) == {}


def test_a_tenant_that_came_with_the_onset_is_compared_with_the_others() -> None:
    frame = Shop().arrive("tenant", "new").frame()
    assert arrived(frame, frame.cohort({"tenant": "new"}))
    assert reference(frame, frame.cohort({"tenant": "new"}), "", {"tenant": "new"}).any()


def test_a_language_of_which_a_tenth_was_there_before_has_a_past() -> None:
    shop = Shop().arrive("language", "es")
    for i in range(0, 2000, 20):
        shop.dimensions[i] = {**shop.dimensions[i], "language": ("es",)}
    frame = shop.frame()
    assert not arrived(frame, frame.cohort({"language": "es"}))
    assert reference(frame, frame.cohort({"language": "es"}), "", {"language": "es"}).sum() == 100


def test_a_handful_of_calls_has_not_arrived() -> None:
    frame = Shop().arrive("language", "es", 0.01).frame()
    assert not arrived(frame, frame.cohort({"language": "es"}))


def test_the_reference_of_a_cohort_with_a_past_is_its_own_past() -> None:
    frame = Shop().frame()
    inside = frame.cohort({"tenant": "beta"})
    np.testing.assert_array_equal(reference(frame, inside) > 0, inside & ~frame.after)
