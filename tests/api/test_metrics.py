"""Series, breakdowns and the heat map over HTTP."""

import pytest
from fastapi.testclient import TestClient

from holdfast.api.metrics import worse
from holdfast.core.score import Direction, Family, Metric, Unit
from holdfast.telemetry.overview import Beside

SERIES = "/api/v1/metrics/refusal/series"


def metric(direction: Direction) -> Metric:
    return Metric(
        name="m", family=Family.QUALITY, unit=Unit.PROBABILITY, direction=direction, failure_mode="m", description="a metric"
    )


def beside(recent: float | None, before: float | None, deviation: float = 0.1) -> Beside:
    return Beside(
        service="s",
        key="m",
        recent=recent,
        recent_count=100 if recent is not None else 0,
        before=before,
        before_count=900,
        deviation=deviation,
    )


def test_a_series_has_its_steps_and_says_when_there_is_no_baseline(client: TestClient) -> None:
    found = client.get(f"{SERIES}?service=shop&steps=6").json()
    assert [point["count"] for point in found["points"]] == [3]
    assert (found["step_s"], found["unit"], found["baseline"]) == (600.0, "probability", None)


def test_the_baseline_is_the_period_of_equal_length_before(client: TestClient) -> None:
    later = "since=2023-11-14T22:23:00Z&until=2023-11-14T22:24:00Z"
    found = client.get(f"{SERIES}?service=shop&{later}").json()
    assert found["points"] == []
    assert found["baseline"]["count"] == 3
    assert found["baseline"]["low"] <= found["baseline"]["mean"] <= found["baseline"]["high"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "service=shop&steps=1",
        "service=shop&since=2030-01-01T00:00:00Z",
        "service=shop&since=1971-01-01T00:00:00Z",
        "service=",
    ],
)
def test_a_question_that_makes_no_sense_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"{SERIES}?{query}").status_code == 422


def test_a_metric_that_is_none_is_not_found(client: TestClient) -> None:
    assert client.get("/api/v1/metrics/luck/series?service=shop").status_code == 404


def test_a_breakdown_has_a_row_per_value(client: TestClient) -> None:
    (row,) = client.get("/api/v1/metrics/refusal/breakdown?service=shop&dimension=service.name").json()
    assert (row["value"], row["recent_count"], row["before"]) == ("shop", 3, None)
    assert client.get("/api/v1/metrics/refusal/breakdown?service=shop&dimension=colour").status_code == 422


def test_the_heat_map_has_every_watched_metric_with_scores(client: TestClient) -> None:
    found = {row["metric"]: row for row in client.get("/api/v1/heat").json()}
    assert found["refusal"]["recent_count"] == 3
    assert found["refusal"]["worse"] is None


def test_definitions_say_what_each_number_means(client: TestClient) -> None:
    found = client.get("/api/v1/metric-definitions").json()
    assert all(row["description"] and row["unit"] and row["direction"] for row in found)


@pytest.mark.parametrize(
    ("direction", "recent", "before", "expected"),
    [
        (Direction.UP_IS_WORSE, 0.3, 0.1, 20.0),
        (Direction.UP_IS_WORSE, 0.1, 0.3, -20.0),
        (Direction.DOWN_IS_WORSE, 0.1, 0.3, 20.0),
        (Direction.BOTH, 0.1, 0.3, 20.0),
        (Direction.UP_IS_WORSE, None, 0.3, None),
        (Direction.UP_IS_WORSE, 0.3, None, None),
    ],
)
def test_worse_is_counted_in_standard_errors(
    direction: Direction, recent: float | None, before: float | None, expected: float | None
) -> None:
    assert worse(beside(recent, before), metric(direction)) == expected


def test_where_nothing_ever_varied_a_step_is_still_finite() -> None:
    assert worse(beside(0.2, 0.0, deviation=0.0), metric(Direction.UP_IS_WORSE)) == 2000.0
