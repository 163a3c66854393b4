import pytest

from holdfast.core.signal import Segment, Signal, SignalCleared, Verdict


def test_a_segment_of_everything_has_no_conditions() -> None:
    assert Segment("support").conditions == {}
    assert str(Segment("support")) == "support"


def test_a_segment_of_one_dimension_says_so() -> None:
    segment = Segment("support", "route", "/chat")
    assert segment.conditions == {"route": "/chat"}
    assert str(segment) == "support[route=/chat]"


def test_segments_can_be_keys_and_sorted() -> None:
    whole, part = Segment("a"), Segment("a", "route", "/x")
    assert sorted({part: 1, whole: 2}) == [whole, part]


def test_equal_segments_are_one() -> None:
    assert len({Segment("a", "b", "c"), Segment("a", "b", "c")}) == 1


def test_a_signal_must_say_how_strong_it_is() -> None:
    with pytest.raises(TypeError):
        Signal(id="s", detector="d", metric="m", segment=Segment("a"), onset_ns=1, detected_ns=2)  # type: ignore[call-arg]


def test_a_signal_is_a_failure_until_the_standard_says_otherwise() -> None:
    signal = Signal(
        id="s",
        detector="d",
        metric="m",
        segment=Segment("a"),
        onset_ns=1,
        detected_ns=2,
        baseline=0.1,
        observed=0.4,
        log_evidence=9.0,
        threshold=7.0,
        calls=40,
        bad=16.0,
        budget=0.1,
    )
    assert signal.verdict is Verdict.FAILURE


def test_what_cleared_refers_to_its_signal() -> None:
    assert SignalCleared(signal_id="s", metric="m", segment=Segment("a"), cleared_ns=3).signal_id == "s"
