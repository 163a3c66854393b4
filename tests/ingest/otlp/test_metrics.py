import math

import pytest

from holdfast.core.errors import InputError
from holdfast.ingest.otlp.metrics import map_point
from holdfast.ingest.otlp.raw import RawPoint
from tests.ingest.otlp.bodies import NOW


def point(value: float | None, name: str = "gpu") -> RawPoint:
    return RawPoint((0, 0, 0, 0), NOW, name, "1", value, {"host": "a", "n": 3, "long": "x" * 1000}, {"service.name": "support"})


def test_a_point_keeps_its_number_and_short_attributes() -> None:
    found = map_point(point(0.5))
    assert found is not None
    assert (found.service, found.name, found.value, found.unit, found.time_ns) == ("support", "gpu", 0.5, "1", NOW)
    assert found.attributes == {"host": "a", "n": "3", "long": "x" * 256}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="'gpu' is not a finite number"):
        map_point(point(value))


def test_a_metric_without_a_name_is_refused() -> None:
    with pytest.raises(InputError, match="no name"):
        map_point(point(1.0, ""))


def test_nothing_measured_is_nothing_kept() -> None:
    assert map_point(point(None)) is None
