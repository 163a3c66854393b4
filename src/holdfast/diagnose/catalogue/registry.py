"""Every hypothesis: the faults by layer, and the two that say that it is none of them."""

from holdfast.core.diagnosis import Layer
from holdfast.diagnose.catalogue.downstream_integration import DOWNSTREAM_INTEGRATION
from holdfast.diagnose.catalogue.hypothesis import Hypothesis
from holdfast.diagnose.catalogue.input_data import INPUT_DATA
from holdfast.diagnose.catalogue.model_configuration import MODEL_CONFIGURATION
from holdfast.diagnose.catalogue.output_processing import OUTPUT_PROCESSING
from holdfast.diagnose.catalogue.prompt_engineering import PROMPT_ENGINEERING

FAULTS: tuple[Hypothesis, ...] = (
    *INPUT_DATA,
    *PROMPT_ENGINEERING,
    *MODEL_CONFIGURATION,
    *OUTPUT_PROCESSING,
    *DOWNSTREAM_INTEGRATION,
)

BENIGN = Hypothesis(
    "benign",
    Layer.BENIGN,
    "harm:calm newcomers:+ volume:+ latency:~ model_speed:~ input_length:~ injection:~ attacks:~ "
    "fingerprint:~ model_update:~ temperature:~ token_limit:~",
    "none:5 tenant:2 route:1.5 region:1 language:1 user:1 document.source:.5 tool:.5 model:.5 prompt.version:1.5 index.version:1",
    "none:8 prompt:1 index:.6 config:.6 code:.6 model:.5 flag:.5 data:.4 tool:.4 guardrail:.2",
    "watch {suspect}: nothing has to be undone yet",
    "a change of traffic or chance, and no failure",
)

PRIOR: dict[Layer, float] = {
    Layer.INPUT_DATA: 0.18,
    Layer.PROMPT_ENGINEERING: 0.18,
    Layer.MODEL_CONFIGURATION: 0.18,
    Layer.OUTPUT_PROCESSING: 0.16,
    Layer.DOWNSTREAM_INTEGRATION: 0.15,
    Layer.BENIGN: 0.05,
    Layer.UNKNOWN: 0.10,
}
"""Prior of a layer: nearly even, as nothing better is known of a new application; refitted with its confirmed incidents."""

UNRECOGNISED_SHARE = 0.1
"""Share of a layer's prior for a fault of that layer that the catalogue does not know."""

BY_NAME = {h.fault: h for h in (*FAULTS, BENIGN)}
