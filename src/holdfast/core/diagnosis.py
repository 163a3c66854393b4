"""`Diagnosis`: probabilities over the five layers, the cohort, the suspected change, and the evidence for each."""

from enum import StrEnum

import msgspec

from holdfast.core.signal import Exemplar


class Layer(StrEnum):
    """Where a failure comes from: the five layers, no failure at all, or none of what we know."""

    INPUT_DATA = "input_data"
    PROMPT_ENGINEERING = "prompt_engineering"
    MODEL_CONFIGURATION = "model_configuration"
    OUTPUT_PROCESSING = "output_processing"
    DOWNSTREAM_INTEGRATION = "downstream_integration"
    BENIGN = "benign"
    UNKNOWN = "unknown"


FAULT_LAYERS = tuple(layer for layer in Layer if layer not in (Layer.BENIGN, Layer.UNKNOWN))


class LayerProbability(msgspec.Struct, frozen=True):
    """Posterior probability of a layer, in [0, 1]."""

    layer: Layer
    probability: float


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One hypothesis: which fault of the catalogue, how probable, where, after which change, and what could be done."""

    fault: str
    layer: Layer
    probability: float
    suspect: dict[str, str] = {}
    change_id: str = ""
    why: str = ""


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of evidence in words, with its numbers.

    `log_ratio` is ln of the likelihood ratio that it adds for its best hypothesis.
    """

    group: str
    text: str
    log_ratio: float = 0.0
    exemplars: tuple[Exemplar, ...] = ()


class Attacker(msgspec.Struct, frozen=True, kw_only=True):
    """A user who attacks the application.

    `attacks` of their `requests` since the onset are attacks, the first and the last of them at `first_ns` and `last_ns`.
    `new`: they had asked nothing before the onset, as far back as the diagnosis looked.
    """

    user: str
    attacks: int
    requests: int
    first_ns: int
    last_ns: int
    new: bool


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What is believed about an incident at `time_ns`.

    `layers` holds all seven, most probable first, summing to 1. `cohort` is the smallest conjunction of dimensions that explains
    the failure, empty when no dimension does; `cohort_confidence` the share of bootstraps that agree,
    `cohort_share` the share of the calls since the onset that are in it, in [0, 1].
    `attackers`, who attacked most first, are who did it where a few users attack: where the cohort is empty, it is they.
    `onset_ns` is when the failure began inside the cohort, 0 where that cannot be told better than the signals did.
    `confidence_low` is at most `confidence`, and at most what held-out diagnoses that were so sure bore out: it gates automation.
    0 where nothing is known of that.
    `actions` are suggestions in words, safest first: nothing here acts.
    """

    time_ns: int
    layers: tuple[LayerProbability, ...]
    causes: tuple[Cause, ...]
    cohort: dict[str, str] = {}
    cohort_confidence: float = 0.0
    cohort_share: float = 0.0
    onset_ns: int = 0
    evidence: tuple[Statement, ...] = ()
    actions: tuple[str, ...] = ()
    calls_seen: int = 0
    confidence_low: float = 0.0
    attackers: tuple[Attacker, ...] = ()

    @property
    def confidence(self) -> float:
        """Probability of the most probable layer."""
        return self.layers[0].probability if self.layers else 0.0
