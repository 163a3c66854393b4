"""`Decoy`: something that looks like trouble and is none."""

from collections.abc import Callable

import msgspec

from holdfast.drills.application import Application
from holdfast.drills.background import Benign
from holdfast.drills.traffic import Mix
from holdfast.drills.turn import Stage, Turn

Shift = Callable[[Turn], None]


class Delivery(msgspec.Struct, frozen=True):
    """What happens to spans between the application and its files, as shares of all spans.

    `late` ones come `late_s` seconds after their turn, `duplicate` ones twice, `missing` ones never (roots never go missing).
    """

    late: float = 0.0
    late_s: float = 20.0
    duplicate: float = 0.0
    missing: float = 0.0


def no_changes(application: Application, time_ns: int) -> tuple[Benign, ...]:
    """A decoy without change events."""
    return ()


class Decoy(msgspec.Struct, frozen=True, kw_only=True):
    """One decoy.

    Args:
        changes: harmless change events at the moment it begins.
        mix: how the composition of the traffic changes. Its `route_weights` are by shape of the route (rag, tool, json).
        noise_sd: over-dispersion of the arrivals.
        shifts: what is different about requests after it began, by stage; nothing of it is harm.
        delivery: what happens to spans on their way.
    """

    name: str
    title: str
    changes: Callable[[Application, int], tuple[Benign, ...]] = no_changes
    mix: Mix | None = None
    noise_sd: float = 0.2
    shifts: dict[Stage, Shift] = {}
    delivery: Delivery = Delivery()
