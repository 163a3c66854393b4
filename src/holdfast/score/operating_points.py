"""The operating point of each evaluation task: fixed on development data, the same for every file."""

from importlib.resources import files

import msgspec

THRESHOLDS: dict[str, float] = msgspec.json.decode(
    files("holdfast.score").joinpath("operating_points.json").read_bytes(), type=dict[str, float]
)
"""Task → probability from which a row counts as a failure."""
