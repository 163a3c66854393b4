"""`Composite`: several metrics that mean the same thing, read as one; `Reading`: in which of five bins it fell."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from holdfast.diagnose.frame import Bools, Floats, Frame
from holdfast.diagnose.moves import Move, Step


@dataclass(frozen=True)
class Scene:
    """What evidence is read from: the frame, which calls are in the cohort, what to compare them with, what each metric did."""

    frame: Frame
    inside: Bools
    healthy: Floats
    moves: Mapping[str, Move]
    steps: Mapping[str, Step]
    failing: tuple[str, ...] = ()
    """Metrics that the incident was opened for."""
    cohort: Mapping[str, str] = field(default_factory=dict)
    """Conditions of the cohort."""


@dataclass(frozen=True)
class Reading:
    """One composite's bin, and in words what was seen. `metric` is the one that says it most clearly, if one does."""

    name: str
    step: Step
    text: str
    metric: str = ""


@dataclass(frozen=True)
class Composite:
    """Metrics that rise (or fall) for the same reason: the one that moved furthest speaks for all.

    Args:
        name: unique over all groups.
        risen: what a rise means, as the beginning of a sentence; `fallen`: what a fall does.
        rising: metrics whose rise is this composite's rise; `falling`: those whose fall is.
    """

    name: str
    risen: str
    fallen: str
    rising: tuple[str, ...] = ()
    falling: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric that it is read from."""
        return *self.rising, *self.falling

    def read(self, scene: Scene) -> Reading | None:
        """The bin, or None where none of the metrics was measured well enough to say."""
        signed = [(m, scene.steps[m]) for m in self.rising if m in scene.steps]
        signed += [(m, Step(Step.SURGE - scene.steps[m])) for m in self.falling if m in scene.steps]
        if not signed:
            return None
        metric, step = max(signed, key=lambda pair: (abs(pair[1] - Step.FLAT), scene.moves[pair[0]].nats))
        words = self.fallen if step < Step.FLAT else self.risen
        return Reading(self.name, step, f"{words}: {describe(scene.moves[metric])}", metric)


@dataclass(frozen=True)
class Derived:
    """A composite that no single metric tells: `read` calculates it from the scene."""

    name: str
    words: str
    calculate: Callable[[Scene], tuple[Step, str] | None]
    metrics: tuple[str, ...] = ()
    """Metrics that it is read from, beside those of other composites."""

    def read(self, scene: Scene) -> Reading | None:
        """The bin, or None where the scene does not have what it takes."""
        found = self.calculate(scene)
        return None if found is None else Reading(self.name, found[0], f"{self.words}: {found[1]}")


def describe(move: Move) -> str:
    """A move in words with its numbers."""
    if move.rate:
        return f"{move.metric} {move.before:.1%} → {move.since:.1%} over {move.calls} calls"
    return f"{move.metric} {move.before:.4g} → {move.since:.4g} over {move.calls} calls"


PLAIN = 8.0
"""Nats from which it is plain that a part of a metric moved."""


def move_step(move: Move | None) -> tuple[Step, str] | None:
    """Bin of a move that is looked at for itself, in words; None where there is none to look at."""
    if move is None:
        return None
    if not move.significant:
        return Step.FLAT, describe(move)
    bins = (Step.DIP, Step.FALL) if move.change < 0 else (Step.RISE, Step.SURGE)
    return bins[move.nats >= PLAIN], describe(move)


ANCHORS = ("latency", "error", "tokens", "refusal")
"""Metrics that every request has once."""


def presence(metric: str) -> Callable[[Scene], tuple[Step, str] | None]:
    """How often a metric is scored at all, per request of the cohort: what stopped reporting has not become healthy."""

    def calculate(scene: Scene) -> tuple[Step, str] | None:
        columns = scene.frame.columns
        column = columns.get(metric)
        anchor = next((columns[name] for name in ANCHORS if name in columns), None)
        if column is None or anchor is None:
            return None
        late = scene.frame.after & scene.inside
        requests = float(scene.healthy[anchor.call].sum()), int(late[anchor.call].sum())
        seen = float(scene.healthy[column.call].sum()), int(late[column.call].sum())
        if min(requests) < 20 or seen[0] < 10:
            return None
        expected = seen[0] / requests[0] * requests[1]
        if expected < 8:
            return None
        text = f"{metric} scored {seen[1] / requests[1]:.2f} times a request, before {seen[0] / requests[0]:.2f} times"
        return share_step(seen[1] / expected, expected), text

    return calculate


def share_step(share: float, expected: float) -> Step:
    """Bin of a count as a share of the expected one; one that could be chance is flat."""
    if abs(share - 1.0) * expected**0.5 < 3.0:
        return Step.FLAT
    bins = ((0.3, Step.FALL), (0.8, Step.DIP), (1.25, Step.FLAT), (2.0, Step.RISE))
    return next((step for limit, step in bins if share <= limit), Step.SURGE)
