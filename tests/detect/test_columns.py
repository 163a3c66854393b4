import pytest

from holdfast.core.score import Direction, Family, Unit
from holdfast.detect.columns import ColumnTable, columns_of
from holdfast.detect.policy import DetectPolicy
from tests.detect.simulation import METRICS, metric

POLICY = DetectPolicy()


@pytest.mark.parametrize(
    ("unit", "direction", "expected"),
    [
        (Unit.PROBABILITY, Direction.UP_IS_WORSE, [("score", False), ("outlier", False)]),
        (Unit.PROBABILITY, Direction.DOWN_IS_WORSE, [("score", True), ("outlier", True)]),
        (Unit.PROBABILITY, Direction.BOTH, [("score", False), ("score", True)]),
        (Unit.MILLISECONDS, Direction.UP_IS_WORSE, [("rank", False), ("tail", False)]),
        (Unit.SIMILARITY, Direction.DOWN_IS_WORSE, [("rank", True)]),
        (Unit.TOKENS, Direction.BOTH, [("rank", False), ("rank", True), ("tail", False)]),
        (Unit.PROBABILITY, Direction.INFORMATION, []),
    ],
)
def test_a_metric_is_watched_on_the_sides_that_are_worse(
    unit: Unit, direction: Direction, expected: list[tuple[str, bool]]
) -> None:
    columns = columns_of(metric("m", unit=unit, direction=direction), POLICY)
    assert [(c.kind, c.falling) for c in columns] == expected


def test_what_users_do_is_also_counted_where_there_is_no_doubt() -> None:
    abuse = metric("prompt_injection", family=Family.SAFETY, harm=2)
    assert [c.kind for c in columns_of(abuse, POLICY)] == ["score", "outlier", "sure"]


def test_a_hard_metric_is_left_to_the_hard_rule() -> None:
    assert columns_of(metric("m", hard=True), POLICY) == ()


def test_detectors_of_both_sides_have_different_names() -> None:
    names = {c.detector for c in columns_of(metric("m", direction=Direction.BOTH), POLICY)}
    assert len(names) == 2


def test_a_metric_that_nobody_defined_has_no_number() -> None:
    table = ColumnTable(METRICS, POLICY)
    assert table.metric_index("evaluation.unheard_of") == -1
    assert table.metric_index("refusal") == 0 == table.metric_index("refusal")


@pytest.mark.parametrize(("harm", "family"), [(0, Family.QUALITY), (2, Family.OPERATIONS)])
def test_outliers_of_what_harms_nobody_are_not_watched(harm: int, family: Family) -> None:
    assert [c.kind for c in columns_of(metric("m", harm=harm, family=family), POLICY)] == ["score"]
