"""Infrastructure and operations: what conventional monitoring sees."""

from holdfast.diagnose.evidence.composite import Composite

COMPOSITES = (
    Composite("error", "Requests fail", ("error",)),
    Composite("latency", "Requests take longer", ("latency",)),
)
