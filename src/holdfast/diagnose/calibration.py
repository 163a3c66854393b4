"""`Calibration`: what was fitted on drills, as a small data file with its provenance."""

from functools import cache
from importlib.resources import files

import msgspec

from holdfast.diagnose.catalogue.hypothesis import CODES, Bins

FILE = "calibration.json"


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Fitted numbers of the posterior.

    Args:
        temperature: divides log posteriors; above 1 it makes the diagnosis less sure.
        exponents: per group of evidence, in (0, 1]: what its readings count for, as they are not independent.
        codes: code of the catalogue → probability of the five bins, where drills taught more than the catalogue says. Shared by
            all faults: what is learnt on some holds for those that no drill has, which tables of their own would not.
        provenance: how it was fitted, on what, and what it reached there.
    """

    temperature: float = 1.0
    exponents: dict[str, float] = {}
    codes: dict[str, Bins] = {}
    provenance: dict[str, str] = {}

    def __post_init__(self) -> None:
        """Refuse what would turn probabilities into nonsense.

        Raises:
            ValueError: a temperature or exponent that is not positive, or bins that do not sum to one.
        """
        if not self.temperature > 0:
            raise ValueError(f"temperature must be positive, not {self.temperature}")
        if any(not 0 < e <= 1 for e in self.exponents.values()):
            raise ValueError("exponents must be in (0, 1]")
        for code, bins in self.codes.items():
            if code not in CODES or min(bins) <= 0 or abs(sum(bins) - 1) > 0.01:
                raise ValueError(f"bins of {code} must be positive, sum to 1, and belong to a known code")


@cache
def shipped() -> Calibration:
    """The calibration that comes with the package."""
    return msgspec.json.decode(files("holdfast.diagnose").joinpath(FILE).read_bytes(), type=Calibration)
