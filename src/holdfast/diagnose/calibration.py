"""`Calibration`: what was fitted on drills, as a small data file with its provenance."""

from functools import cache
from importlib.resources import files

import msgspec

FILE = "calibration.json"


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Fitted numbers of the posterior.

    Args:
        temperature: divides log posteriors; above 1 it makes the diagnosis less sure.
        exponents: per group of evidence, in (0, 1]: what its readings count for, as they are not independent.
        provenance: how it was fitted, on what, and what it reached there.
    """

    temperature: float = 1.0
    exponents: dict[str, float] = {}
    provenance: dict[str, str] = {}

    def __post_init__(self) -> None:
        """Refuse what would turn probabilities into nonsense.

        Raises:
            ValueError: a temperature that is not positive, or an exponent out of (0, 1].
        """
        if not self.temperature > 0:
            raise ValueError(f"temperature must be positive, not {self.temperature}")
        if any(not 0 < e <= 1 for e in self.exponents.values()):
            raise ValueError("exponents must be in (0, 1]")


@cache
def shipped() -> Calibration:
    """The calibration that comes with the package."""
    return msgspec.json.decode(files("holdfast.diagnose").joinpath(FILE).read_bytes(), type=Calibration)
