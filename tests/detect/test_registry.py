from holdfast.detect.policy import DetectPolicy
from holdfast.detect.protocol import Detector, Ground
from holdfast.detect.registry import DETECTORS
from tests.detect.simulation import METRICS


def test_every_registered_kind_can_be_made() -> None:
    made: dict[str, Detector] = {name: make(Ground(METRICS, DetectPolicy())) for name, make in DETECTORS.items()}
    assert {"sequential", "hard", "coverage", "traffic"} <= set(made)
