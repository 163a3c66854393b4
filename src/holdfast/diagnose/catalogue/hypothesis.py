"""`Hypothesis`: one fault of the catalogue as an expectation over evidence."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from holdfast.core.diagnosis import Layer
from holdfast.diagnose.frame import Floats

Bins = tuple[float, float, float, float, float]
"""Probabilities of FALL, DIP, FLAT, RISE, SURGE."""

CODES: dict[str, Bins] = {
    "++": (0.01, 0.01, 0.13, 0.20, 0.65),
    "+": (0.01, 0.02, 0.47, 0.27, 0.23),
    "~": (0.02, 0.04, 0.70, 0.15, 0.09),
    "--": (0.65, 0.18, 0.14, 0.02, 0.01),
    "-": (0.22, 0.22, 0.52, 0.03, 0.01),
    "+-": (0.12, 0.12, 0.52, 0.12, 0.12),
    "background": (0.01, 0.04, 0.87, 0.05, 0.03),
    "harm": (0.01, 0.02, 0.09, 0.25, 0.63),
    "calm": (0.02, 0.04, 0.58, 0.25, 0.11),
    "rare": (0.004, 0.006, 0.970, 0.015, 0.005),
    "never": (0.002, 0.002, 0.992, 0.003, 0.001),
}
"""Code → probabilities. What a fault does not name follows `background`, or `rare` where hardly anything but its own fault moves
a composite. They are expectations: counts over drills, per fault or per code, fitted those drills better and unseen faults worse.
"""

RISES = ("+", "++")

GENERIC = frozenset(
    {
        "altered",
        "answer_length",
        "confidence",
        "context_gap",
        "cost",
        "drift",
        "duplicates",
        "feedback",
        "feedback_presence",
        "format",
        "garbled",
        "grounding",
        "guard_presence",
        "input_length",
        "latency",
        "long_inputs",
        "missing_tools",
        "model_speed",
        "numbers",
        "refusal",
        "relevance",
        "repetition",
        "retrieval_match",
        "retrieval_presence",
        "steps",
        "tool_contradiction",
        "tool_presence",
        "truncation",
        "unexpected_tools",
        "volume",
    }
)
"""Composites that many faults move along."""

COMMON = {"feedback": "~", "drift": "~", "harm": "harm"}
"""What most faults move a little, and that something is really worse."""

WATCHED_BY_GUARDS = frozenset({"format", "grounding", "markup", "numbers", "prompt_leak", "sensitive", "toxicity"})
DONE_BY_GUARDS = frozenset({"altered", "block"})
"""Guards that work block or replace what a fault made bad: a sign of any fault that they watch for, not only of their own."""

REFUSED_BY_CONSUMERS = frozenset({"tool_error", "tool_arguments", "tool_contradiction", "error"})
"""Who gets structured output refuses what is broken: a sign of any fault that breaks the format, not of the consumer alone."""

AFTER_THE_MODEL = "tampered"
"""What is done to an answer after the model wrote it, by its own doing: no other fault does that but one that breaks the format,
which is then repaired."""

NO_DIMENSION = "none"
NO_CHANGE = "none"

DIMENSION_FLOOR = 0.02
CHANGE_FLOOR = 0.01


@dataclass(frozen=True)
class Hypothesis:
    """A fault, and what it would look like.

    Args:
        moves: composite → code, as text: ``grounding:++ refusal:-``.
        cohort: dimension → weight, as text: ``prompt.version:6 none:2``; the rest share a little.
        changes: change kind → weight, as text, ``none`` for no logged change.
        weight: prior weight within the layer.
        action: what to do, in words; ``{suspect}`` is replaced by the cohort, ``{attackers}`` by the users who attack.
        means: what went wrong, in words.
    """

    fault: str
    layer: Layer
    moves: str
    cohort: str
    changes: str
    action: str
    means: str
    weight: float = 1.0

    def code(self, composite: str) -> str:
        """What this fault does to a composite."""
        named = self._codes.get(composite)
        if named is not None:
            return named
        if composite in DONE_BY_GUARDS and any(self._codes.get(name) in RISES for name in WATCHED_BY_GUARDS):
            return "~"
        if composite in REFUSED_BY_CONSUMERS and self._codes.get("format") in RISES:
            return "~"
        if composite == AFTER_THE_MODEL:
            return "background" if self._codes.get("format") in RISES else "never"
        return "background" if composite in GENERIC else "rare"

    @cached_property
    def _codes(self) -> dict[str, str]:
        return {**COMMON, **dict(part.rsplit(":", 1) for part in self.moves.split())}

    @cached_property
    def named_composites(self) -> frozenset[str]:
        """Composites that this fault says something about."""
        return frozenset(self._codes)

    @cached_property
    def cohort_weights(self) -> dict[str, float]:
        """Dimension → weight as given."""
        return _weights(self.cohort)

    @cached_property
    def change_weights(self) -> dict[str, float]:
        """Change kind → weight as given."""
        return _weights(self.changes)


def _weights(text: str) -> dict[str, float]:
    return {name: float(weight) for name, weight in (part.rsplit(":", 1) for part in text.split())}


def spread(weights: dict[str, float], names: tuple[str, ...], floor: float) -> Floats:
    """Weights as probabilities over `names`, none below `floor`."""
    raw = np.array([weights.get(name, 0.0) for name in names])
    total = float(raw.sum())
    raw = raw / total if total > 0 else np.full(len(names), 1.0 / len(names))
    return np.asarray(raw * (1.0 - floor * len(names)) + floor, dtype=np.float64)
