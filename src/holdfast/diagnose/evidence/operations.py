"""Infrastructure and operations: what conventional monitoring sees."""

from holdfast.diagnose.evidence.composite import Composite

COMPOSITES = (
    Composite("error", "Requests fail", ("error",)),
    Composite("timeout", "Steps time out", ("timeout",)),
    Composite("throttled", "Steps are throttled", ("rate_limited",)),
    Composite("own_error", "Requests fail after their calls went well", ("own_error",)),
    Composite("latency", "Requests take longer", ("latency",)),
)
