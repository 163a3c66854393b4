"""A raw data point becomes a `MetricPoint`."""

import math

from holdfast.core.call import MetricPoint
from holdfast.core.errors import InputError
from holdfast.ingest.limits import MAX_DIMENSION_CHARS
from holdfast.ingest.otlp.convert import json_text
from holdfast.ingest.otlp.dimensions import service_of
from holdfast.ingest.otlp.raw import RawPoint


def map_point(point: RawPoint) -> MetricPoint | None:
    """The number, or a histogram's mean; None where the source says that there was nothing to measure.

    Raises:
        InputError: no name, or a value that is no finite number.
    """
    if point.value is None:
        return None
    if not point.name:
        raise InputError("metric has no name")
    if not math.isfinite(point.value):
        raise InputError(f"value of {point.name!r:.80} is not a finite number")
    return MetricPoint(
        time_ns=point.time_ns,
        service=service_of(point.resource),
        name=point.name,
        value=point.value,
        unit=point.unit,
        attributes={name: json_text(value)[:MAX_DIMENSION_CHARS] for name, value in point.attributes.items()},
    )
