"""`Calibration`: what was fitted on drills, as a small data file with its provenance."""

from functools import cache
from importlib.resources import files
from itertools import pairwise

import msgspec

FILE = "calibration.json"


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Fitted numbers of the posterior.

    Args:
        temperature: divides log posteriors; above 1 it makes the diagnosis less sure.
        exponents: per group of evidence, in (0, 1]: what its readings count for, as they are not independent.
        lower: Venn–Abers lower bound of the probability that the named layer is right, as (confidence, bound) steps; empty: none
            is known, and the bound is 0.
        provenance: how it was fitted, on what, and what it reached there.
    """

    temperature: float = 1.0
    exponents: dict[str, float] = {}
    lower: tuple[tuple[float, float], ...] = ()
    provenance: dict[str, str] = {}

    def __post_init__(self) -> None:
        """Refuse what would turn probabilities into nonsense.

        Raises:
            ValueError: a temperature that is not positive, an exponent out of (0, 1], or steps that do not rise within [0, 1].
        """
        if not self.temperature > 0:
            raise ValueError(f"temperature must be positive, not {self.temperature}")
        if any(not 0 < e <= 1 for e in self.exponents.values()):
            raise ValueError("exponents must be in (0, 1]")
        ends = ((0.0, 0.0), *self.lower, (1.0, 1.0))
        if any(not (0 <= a <= b <= 1 and 0 <= p <= q <= 1) for (a, p), (b, q) in pairwise(ends)):
            raise ValueError("lower must be steps that rise within [0, 1]")


@cache
def shipped() -> Calibration:
    """The calibration that comes with the package."""
    return msgspec.json.decode(files("holdfast.diagnose").joinpath(FILE).read_bytes(), type=Calibration)
