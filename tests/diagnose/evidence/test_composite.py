"""A composite speaks with the voice of the metric that moved furthest, or not at all."""

from holdfast.diagnose.evidence.composite import Composite, Derived, presence, share_step
from holdfast.diagnose.moves import Step
from tests.diagnose.evidence.scenes import scene
from tests.diagnose.incidents import Shop

GROUNDING = Composite("grounding", "Unsupported", "Supported", ("ungrounded_answer", "unsupported_numbers"))
MATCH = Composite("match", "Worse match", "Better match", ("retrieval_dissimilarity",), ("retrieval_score",))


def test_the_metric_that_moved_furthest_is_named_with_its_numbers() -> None:
    reading = GROUNDING.read(scene(Shop().break_(["unsupported_numbers"])))
    assert reading is not None
    assert reading.step is Step.SURGE
    assert reading.metric == "unsupported_numbers"
    assert "→" in reading.text


def test_a_fall_of_what_should_be_high_is_a_rise_of_the_composite() -> None:
    reading = MATCH.read(scene(Shop().scale("retrieval_score", 0.3)))
    assert reading is not None
    assert reading.step is Step.SURGE


def test_a_fall_is_not_told_as_a_rise() -> None:
    reading = Composite("cost", "Requests cost more", "Requests cost less", ("cost",)).read(scene(Shop().scale("cost", 0.3)))
    assert reading is not None
    assert reading.step < Step.FLAT
    assert reading.text.startswith("Requests cost less: cost ")


def test_metrics_that_nobody_scored_are_left_out_and_never_calm() -> None:
    assert Composite("x", "X", "Y", ("no_such_metric",)).read(scene(Shop())) is None


def test_a_metric_that_stopped_reporting_is_seen_missing() -> None:
    quiet = Derived("p", "Feedback", presence("negative_feedback")).read(scene(Shop().silence("negative_feedback")))
    usual = Derived("p", "Feedback", presence("negative_feedback")).read(scene(Shop()))
    assert quiet is not None
    assert quiet.step is Step.FALL
    assert usual is not None
    assert usual.step is Step.FLAT
    assert Derived("p", "Feedback", presence("unheard_of")).read(scene(Shop())) is None


def test_a_share_that_chance_explains_is_flat() -> None:
    assert share_step(0.5, 10) is Step.FLAT
    assert share_step(0.1, 100) is Step.FALL
    assert share_step(0.7, 1000) is Step.DIP
    assert share_step(1.5, 1000) is Step.RISE
    assert share_step(4.0, 1000) is Step.SURGE
