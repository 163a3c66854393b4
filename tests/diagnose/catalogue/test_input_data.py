"""The faults of the layer input_data are told apart, and each says what to do."""

from holdfast.core.diagnosis import Layer
from holdfast.diagnose.catalogue.input_data import INPUT_DATA
from holdfast.diagnose.evidence.registry import COMPOSITE_NAMES


def test_every_fault_belongs_to_the_layer_and_moves_something_that_is_measured() -> None:
    for hypothesis in INPUT_DATA:
        assert hypothesis.layer is Layer.INPUT_DATA
        assert hypothesis.named_composites <= set(COMPOSITE_NAMES), hypothesis.fault
        assert any(hypothesis.code(c) in ("++", "+", "--") for c in COMPOSITE_NAMES), hypothesis.fault


def test_no_two_faults_expect_the_same() -> None:
    seen = {(h.moves, h.cohort, h.changes) for h in INPUT_DATA}
    assert len(seen) == len(INPUT_DATA)


def test_every_action_and_meaning_is_in_words() -> None:
    for hypothesis in INPUT_DATA:
        assert len(hypothesis.action.split()) > 3
        assert len(hypothesis.means.split()) > 3
