import pytest

from holdfast.core.errors import ConfigurationError
from holdfast.detect.policy import DetectPolicy


def test_the_default_policy_is_valid_and_frozen() -> None:
    policy = DetectPolicy()
    with pytest.raises(AttributeError):
        policy.false_alarms_per_day = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"false_alarms_per_day": 0.0}, "false_alarms_per_day"),
        ({"app_share": 0.9}, "app_share"),
        ({"quantile": 0.4}, "quantile"),
        ({"segment_quantile": 1.0}, "segment_quantile"),
        ({"min_calls": 0}, "min_calls"),
        ({"idle_days": 0.0}, "idle_days"),
        ({"idle_application_days": -1.0}, "idle_application_days"),
        ({"max_streams": 0}, "max_streams"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(settings: dict[str, float], key: str) -> None:
    with pytest.raises(ConfigurationError, match=key):
        DetectPolicy(**settings)  # type: ignore[arg-type]


def test_a_margin_of_the_policy_overrides_that_of_the_metric_and_is_never_below_one() -> None:
    policy = DetectPolicy(margins={"refusal": 2.0, "odd": 0.5})
    assert policy.margin("refusal", 1.25) == 2.0
    assert policy.margin("error", 1.25) == 1.25
    assert policy.margin("odd", 1.25) == 1.0
