"""Evidence → probabilities: log prior + tempered log likelihood per group + change factor, normalised over hypotheses."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.core.change import Change, ChangeKind
from holdfast.core.diagnosis import FAULT_LAYERS, Layer
from holdfast.diagnose.calibration import Calibration
from holdfast.diagnose.catalogue.hypothesis import (
    CHANGE_FLOOR,
    CODES,
    DIMENSION_FLOOR,
    NO_CHANGE,
    NO_DIMENSION,
    Hypothesis,
    spread,
)
from holdfast.diagnose.catalogue.registry import BENIGN, FAULTS, PRIOR, UNRECOGNISED_SHARE
from holdfast.diagnose.catalogue.words import WORDS
from holdfast.diagnose.changes import Suspect
from holdfast.diagnose.evidence.composite import Reading
from holdfast.diagnose.evidence.registry import COMPOSITE_NAMES
from holdfast.diagnose.frame import Floats

COHORT_DIMENSIONS = (
    "prompt.version",
    "index.version",
    "document.source",
    "replica",
    "tool",
    "model",
    "language",
    "region",
    "user",
    "tenant",
    "route",
    NO_DIMENSION,
)
"""Most telling first: of a conjunction the first one counts."""

CHANGE_KINDS = (*(kind.value for kind in ChangeKind), NO_CHANGE)
MOST_LOG_BAYES = 8.0
NAMED = 3.0
"""Likelihood ratio of a change whose name fits a fault, for that fault: names help, and lie."""
GIVEN_AWAY = 4.0
"""By how much more a fitting name counts for who is guilty of a fault that other evidence tells: few harmless changes have it."""


@dataclass(frozen=True)
class Posterior:
    """Probabilities of hypotheses, summing to 1.

    `names` holds faults, `benign`, `unrecognised` once per layer, and `unknown`, `layers` the layer of each;
    `ratios` holds, per group of evidence, the ln likelihood ratio of each hypothesis against the average one.
    `guilt` (hypotheses x suspects + 1) is the probability that a suspect is the cause under a hypothesis; last column: none is.
    """

    names: tuple[str, ...]
    layers: tuple[Layer, ...]
    probability: Floats
    ratios: Mapping[str, Floats]
    guilt: Floats

    def of_layer(self, layer: Layer) -> float:
        """Probability of a layer."""
        return float(sum(p for p, owner in zip(self.probability, self.layers, strict=True) if owner is layer))


class Model:
    """The tables of all hypotheses under a calibration, ready to be looked up."""

    def __init__(self, calibration: Calibration) -> None:
        self.calibration = calibration
        known = (*FAULTS, BENIGN)
        owners = [h.layer for h in known]
        moves = np.array([[CODES[h.code(name)] for name in COMPOSITE_NAMES] for h in known])
        cohorts = np.array([spread(h.cohort_weights, COHORT_DIMENSIONS, DIMENSION_FLOOR) for h in known])
        changes = np.array([spread(h.change_weights, CHANGE_KINDS, CHANGE_FLOOR) for h in known])
        prior = _priors(known)
        self.names = (*(h.fault for h in known), *("unrecognised" for _ in FAULT_LAYERS), "unknown")
        self.layers = (*owners, *FAULT_LAYERS, Layer.UNKNOWN)
        pools = [np.array([prior[i] if o is layer else 0.0 for i, o in enumerate(owners)]) for layer in FAULT_LAYERS]
        pools.append(np.array([prior[i] if o is not Layer.BENIGN else 0.0 for i, o in enumerate(owners)]))
        mix = np.array([pool / pool.sum() for pool in pools])
        self.moves: Floats = np.concatenate([moves, np.einsum("ph,hcb->pcb", mix, moves)])
        self.cohorts: Floats = np.concatenate([cohorts, mix @ cohorts])
        self.changes: Floats = np.concatenate([changes, mix @ changes])
        shares = [PRIOR[layer] * UNRECOGNISED_SHARE for layer in FAULT_LAYERS]
        self.prior: Floats = np.concatenate([prior, shares, [PRIOR[Layer.UNKNOWN]]])
        self.prior /= self.prior.sum()
        self._words = {i: re.compile(WORDS[name]) for i, name in enumerate(self.names) if name in WORDS}
        self._index = {name: i for i, name in enumerate(COMPOSITE_NAMES)}

    def group(self, readings: Sequence[Reading]) -> Floats:
        """ln likelihood ratio of each hypothesis against the prior average, summed over the readings of one group."""
        total = np.zeros(len(self.names))
        for reading in readings:
            column = self.moves[:, self._index[reading.name], int(reading.step)]
            total += np.log(column / float(self.prior @ column))
        return total

    def cohort(self, dimensions: Mapping[str, float]) -> Floats:
        """ln likelihood ratio of the dimension that the cohort scan named, or of several that cannot be told apart, by weight."""
        column = sum((w * self.cohorts[:, COHORT_DIMENSIONS.index(d)] for d, w in dimensions.items()), np.zeros(len(self.names)))
        return np.asarray(np.log(column / float(self.prior @ column)), dtype=np.float64)

    def change(self, suspects: Sequence[Suspect]) -> tuple[Floats, Floats]:
        """ln likelihood ratio of the change log, and who is guilty under each hypothesis (hypotheses x suspects + 1)."""
        none = self.changes[:, CHANGE_KINDS.index(NO_CHANGE)]
        terms = [self._term(s) for s in suspects]
        table = np.column_stack([*terms, none])
        likelihood = table.sum(axis=1)
        fits = [np.where(self._naming(s.change) > 1, GIVEN_AWAY, 1.0) for s in suspects]
        guilt = table * np.column_stack([*fits, np.ones(len(self.names))])
        return np.log(likelihood / float(self.prior @ likelihood)), guilt / guilt.sum(axis=1, keepdims=True)

    def _term(self, suspect: Suspect) -> Floats:
        """What a suspect contributes to the likelihood of each hypothesis: kind, then name, then its Bayes factor."""
        kind = self.changes[:, CHANGE_KINDS.index(suspect.kind.value)]
        name = self._naming(suspect.change)
        return np.asarray(
            kind * name / float(self.prior @ name) * np.exp(min(suspect.log_bayes, MOST_LOG_BAYES)), dtype=np.float64
        )

    def _naming(self, change: Change | None) -> Floats:
        """How much more a hypothesis expects a change of that name than any other: 1 where the name says nothing."""
        factor = np.ones(len(self.names))
        if change is not None:
            told = " ".join((change.target, change.subject, change.from_value, change.to_value)).lower()
            for i, pattern in self._words.items():
                if pattern.search(told):
                    factor[i] = NAMED
        return factor

    def posterior(
        self, readings: Mapping[str, Sequence[Reading]], dimensions: Mapping[str, float], suspects: Sequence[Suspect]
    ) -> Posterior:
        """Everything together. `dimensions` is empty where no cohort could be looked for: then it says nothing."""
        ratios = {group: self.group(found) for group, found in readings.items()}
        if dimensions:
            ratios["cohort"] = self.cohort(dimensions)
        ratios["change"], guilt = self.change(suspects)
        logit = np.log(self.prior)
        for group, value in ratios.items():
            logit = logit + self.calibration.exponents.get(group, 1.0) * value
        logit = logit / self.calibration.temperature
        weight = np.exp(logit - logit.max())
        return Posterior(self.names, self.layers, weight / weight.sum(), ratios, guilt)


def _priors(known: Sequence[Hypothesis]) -> Floats:
    weights = np.array([h.weight for h in known])
    found = np.zeros(len(known))
    for layer in (*FAULT_LAYERS, Layer.BENIGN):
        own = np.array([h.layer is layer for h in known])
        share = PRIOR[layer] * (1.0 if layer is Layer.BENIGN else 1.0 - UNRECOGNISED_SHARE)
        found[own] = share * weights[own] / weights[own].sum()
    return found


VERSIONS = ("prompt.version", "index.version")
"""Dimensions whose value tells of the cause only when it is new: an old version is another name of the routes that it serves."""


def primary(conditions: Mapping[str, str], new: Sequence[tuple[str, str]] = ()) -> str:
    """The dimension of a cohort that tells most about the cause: one with a new value, else the most specific one."""
    for dimension in COHORT_DIMENSIONS:
        if (dimension, conditions.get(dimension, "")) in new:
            return dimension
    known = {"route" if d in VERSIONS else d for d in conditions}
    return next((d for d in COHORT_DIMENSIONS if d in known), NO_DIMENSION)
