"""`Score`, `Failed` and `Metric`: what a scorer said of a call, that it could not say, and what the number means."""

import math
from enum import StrEnum

import msgspec


class Family(StrEnum):
    """What kind of thing a metric is about."""

    QUALITY = "quality"
    SAFETY = "safety"
    RETRIEVAL = "retrieval"
    OPERATIONS = "operations"


class Direction(StrEnum):
    """Which way is worse."""

    UP_IS_WORSE = "up_is_worse"
    DOWN_IS_WORSE = "down_is_worse"
    BOTH = "both"
    INFORMATION = "information"
    """Never alarms; used as evidence only."""


class Unit(StrEnum):
    """Unit of a metric's values. `PROBABILITY` values lie in [0, 1]; the others are not negative."""

    PROBABILITY = "probability"
    MILLISECONDS = "ms"
    SECONDS = "s"
    TOKENS = "tokens"
    USD = "usd"
    COUNT = "count"
    SIMILARITY = "similarity"


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """What a number means, and how it is watched.

    Args:
        name: snake case, unique.
        failure_mode: what an incident on it is called, such as `hallucination`.
        margin: practical-equivalence margin: alarm only when worse than `margin` × baseline (reference: 1.25).
        hard: one event is an incident (canary leak).
        harm: 0..3, how bad one affected user is (0 none, 1 nuisance, 2 wrong or lost, 3 safety, privacy, money).
        description: one line for people.
        corrects: name of a cheaper metric of the same failure, measured on every call, where this one is measured on a sample:
            the rates of the cheaper one are corrected by it. Empty: none.
    """

    name: str
    family: Family
    unit: Unit
    direction: Direction
    failure_mode: str
    description: str
    margin: float = 1.25
    hard: bool = False
    harm: int = 1
    corrects: str = ""


class Span(msgspec.Struct, frozen=True, gc=False):
    """A stretch of text that a score is about: offsets in characters of the text named by `field`."""

    field: str
    start: int
    end: int
    why: str = ""


class Score(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one scorer said of one call.

    `value` is in the metric's unit; for probabilities it is the calibrated probability of the failure.

    Raises:
        ValueError: `value` is not finite or is negative.
    """

    trace_id: str
    span_id: str
    metric: str
    value: float
    scorer: str
    version: str
    why: str = ""
    spans: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no number: a scorer that has none must fail or stay silent."""
        if not math.isfinite(self.value) or self.value < 0:
            raise ValueError(f"score {self.metric} must be finite and not negative, not {self.value}")


class Failed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A scorer could not do its work on this trace. Never shown as a pass."""

    trace_id: str
    span_id: str
    scorer: str
    version: str
    error_type: str
    message: str
