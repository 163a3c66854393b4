"""`Fault`: one way in which an application breaks: where it sits, what changes, and what it does to a request."""

from collections.abc import Callable
from random import Random

import msgspec

from holdfast.core.change import ChangeKind
from holdfast.core.diagnosis import Layer
from holdfast.drills.turn import Behaviour, Stage, Turn

Strike = Callable[[Turn, Random], bool]
"""Damages the request. True when it did, False when this request has nothing that it could damage."""

Exposure = Callable[[Turn, Random], None]
"""What every request of the cohort gets, harmed or not: the new prompt, the new model, the new parameter."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of the catalogue.

    Args:
        name: as in the catalogue. number: its number there.
        change, target: the change event that brings it; None for one that comes from outside without any.
        bumps: the dimension that gets a new value with the change: prompt.version, index.version, model or none.
        shape: routes that it can hit: rag, tool, json, or empty for all.
        cohort: dimensions that its natural cohort fixes besides what it bumps, such as ("route",) or ("document.source",).
        marks: dimension values that harmed requests, and only they, come to carry; they are the cohort then.
        strikes: damage by stage; exposes: what the whole cohort gets by stage.
        rate: share of the cohort's requests that it tries to damage at severity 1 (a prompt may break each, a lock few).
        silent: conventional telemetry (latency, errors, cost, CPU) stays as it was.
        signature: metrics that move.
    """

    name: str
    number: int
    layer: Layer
    title: str
    change: ChangeKind | None = None
    target: str = ""
    from_value: str = ""
    to_value: str = ""
    bumps: str = ""
    shape: str = ""
    cohort: tuple[str, ...] = ()
    marks: dict[str, str] = {}
    strikes: dict[Stage, Strike]
    exposes: dict[Stage, Exposure] = {}
    rate: float = 0.4
    silent: bool = True
    signature: tuple[str, ...] = ()


def behaves(behaviour: Behaviour) -> Strike:
    """A strike that makes the model behave in this way."""

    def strike(turn: Turn, chaos: Random) -> bool:
        turn.behaviour = behaviour
        return True

    return strike


def sets(**parameters: float | int | str) -> Exposure:
    """An exposure that sets request parameters of the model."""

    def expose(turn: Turn, chaos: Random) -> None:
        turn.parameters.update(parameters)

    return expose


def rewrites(old: str, new: str) -> Exposure:
    """An exposure that replaces a passage of the prompt template."""

    def expose(turn: Turn, chaos: Random) -> None:
        turn.system = turn.system.replace(old, new)

    return expose


def one_of(**weights: float) -> Strike:
    """A strike that makes the model behave in one of these ways, drawn by weight; names are values of `Behaviour`."""
    behaviours = tuple(Behaviour(name) for name in weights)

    def strike(turn: Turn, chaos: Random) -> bool:
        turn.behaviour = chaos.choices(behaviours, tuple(weights.values()))[0]
        return True

    return strike
