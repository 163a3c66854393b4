from holdfast.detect.policy import DetectPolicy
from holdfast.detect.protocol import Ground
from tests.detect.simulation import METRICS


def test_detectors_share_one_index_and_one_table() -> None:
    ground = Ground(METRICS, DetectPolicy(max_streams=100))
    profile = ground.index.profile({"service.name": ("shop",)})
    assert ground.index.service_of(profile) == 0
    assert ground.table.metric_index("refusal") == 0
