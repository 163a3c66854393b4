"""What every registered kind of detector must do."""

from collections.abc import Callable

import msgspec
import pytest

from holdfast.core.change import Change, ChangeKind
from holdfast.core.clock import NS_PER_S
from holdfast.core.signal import Signal
from holdfast.detect.batch import Extractor
from holdfast.detect.policy import DetectPolicy
from holdfast.detect.protocol import Detector, Ground, SignalEvent
from holdfast.detect.registry import DETECTORS
from tests.detect.simulation import METRICS, START_NS, Fault, Script, traffic

KINDS = list(DETECTORS.items())
FAULTS = [Fault(3000.0, "ungrounded_answer", 0.5), Fault(3000.0, "canary", 1.0, end_s=3100.0)]
TRACES = traffic(Script(seconds=4000, faults=FAULTS, dead=(3300.0, 3900.0)))


class Bench:
    """One detector alone, on its own ground."""

    def __init__(self, make: Callable[[Ground], Detector]) -> None:
        policy = DetectPolicy()
        self.ground = Ground(METRICS, policy)
        self.extractor = Extractor(self.ground.index, self.ground.table, policy)
        self.detector = make(self.ground)

    def feed(self, low: int, high: int) -> list[SignalEvent]:
        found = list[SignalEvent]()
        for at in range(low, high, 128):
            found += self.detector.observe(self.extractor.extract(TRACES[at : min(at + 128, high)]))
            found += self.detector.settle()
        return found


@pytest.mark.parametrize(("name", "make"), KINDS)
def test_the_same_input_gives_the_same_output(name: str, make: Callable[[Ground], Detector]) -> None:
    assert Bench(make).feed(0, len(TRACES)) == Bench(make).feed(0, len(TRACES))


@pytest.mark.parametrize(("name", "make"), KINDS)
def test_ids_are_unique_but_for_verdicts_that_got_worse(name: str, make: Callable[[Ground], Detector]) -> None:
    signals = [e for e in Bench(make).feed(0, len(TRACES)) if isinstance(e, Signal)]
    assert len({(s.id, s.verdict) for s in signals}) == len(signals)


@pytest.mark.parametrize(("name", "make"), KINDS)
def test_a_detector_restored_from_a_snapshot_goes_on_identically(name: str, make: Callable[[Ground], Detector]) -> None:
    bench = Bench(make)
    bench.feed(0, 1536)
    state = bench.detector.snapshot()
    expected = bench.feed(1536, len(TRACES))
    again = Bench(make)
    again.feed(0, 1536)
    again.detector.restore(state)
    assert again.detector.snapshot() == state
    assert again.feed(1536, len(TRACES)) == expected


@pytest.mark.parametrize(("name", "make"), KINDS)
def test_nothing_in_is_nothing_out(name: str, make: Callable[[Ground], Detector]) -> None:
    bench = Bench(make)
    assert bench.detector.observe(bench.extractor.extract([])) == []
    assert bench.detector.settle() == []
    assert bench.detector.tick(START_NS) == []
    bench.detector.changed(Change(id="c", time_ns=START_NS, kind=ChangeKind.CODE))
    bench.detector.restore(bench.detector.snapshot())


@pytest.mark.parametrize(("name", "make"), KINDS)
def test_scores_without_a_trace_of_health_before_them_do_no_harm(name: str, make: Callable[[Ground], Detector]) -> None:
    bench = Bench(make)
    odd = [msgspec.structs.replace(t, scores=()) for t in TRACES[:50]]
    assert bench.detector.observe(bench.extractor.extract(odd)) == []
    bench.detector.tick(START_NS + 10**6 * NS_PER_S)


@pytest.mark.parametrize(("name", "make"), KINDS)
def test_a_signal_says_where_when_how_much_and_why(name: str, make: Callable[[Ground], Detector]) -> None:
    for signal in (e for e in Bench(make).feed(0, len(TRACES)) if isinstance(e, Signal)):
        assert signal.segment.service == "support"
        assert START_NS < signal.onset_ns <= signal.detected_ns <= START_NS + 4000 * NS_PER_S
        assert signal.detector
        assert signal.reason
