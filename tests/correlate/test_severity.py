import pytest

from holdfast.core.incident import Severity
from holdfast.core.signal import Verdict
from holdfast.correlate.policy import CorrelatePolicy
from holdfast.correlate.severity import severity_of, worse_than
from tests.correlate.signals import signal
from tests.detect.simulation import METRICS

POLICY = CorrelatePolicy()


@pytest.mark.parametrize(
    ("metric", "segment", "bad", "users", "expected"),
    [
        ("prompt_injection", "route=/a", 3.0, 0, Severity.SEV2),
        ("prompt_injection", "route=/a", 3.0, 80, Severity.SEV1),
        ("ungrounded_answer", "route=/a", 8.0, 0, Severity.SEV3),
        ("ungrounded_answer", "", 20.0, 0, Severity.SEV2),
        ("ungrounded_answer", "route=/a", 400.0, 0, Severity.SEV2),
        ("refusal", "route=/a", 8.0, 0, Severity.SEV4),
        ("refusal", "", 30.0, 0, Severity.SEV3),
        ("tokens", "", 50.0, 900, Severity.SEV4),
        ("coverage.lexical", "", 5.0, 0, Severity.SEV3),
    ],
)
def test_severity_follows_the_table(metric: str, segment: str, bad: float, users: int, expected: Severity) -> None:
    severity, reason = severity_of([signal(metric, segment, bad=bad)], METRICS, POLICY, users)
    assert severity is expected
    assert reason.startswith("harm")


def test_the_worst_failure_counts_and_anomalies_do_not() -> None:
    anomaly = signal("prompt_injection", verdict=Verdict.ANOMALY)
    assert severity_of([signal("refusal", "route=/a"), anomaly], METRICS, POLICY)[0] is Severity.SEV4
    assert severity_of([signal("refusal"), signal("canary")], METRICS, POLICY)[0] is Severity.SEV2


def test_one_severity_is_worse_than_another() -> None:
    assert worse_than(Severity.SEV1, Severity.SEV2)
    assert not worse_than(Severity.SEV3, Severity.SEV3)
