from holdfast.score.operating_points import THRESHOLDS


def test_every_task_has_one_operating_point_that_is_a_probability() -> None:
    assert set(THRESHOLDS) == {
        "injection",
        "overblock",
        "unsafe_prompt",
        "unsafe_output",
        "toxicity",
        "faithfulness",
        "pii",
        "agent_trace_failure",
    }
    assert all(0 < value < 1 for value in THRESHOLDS.values())
