"""Infrastructure and operations: what conventional monitoring sees."""

from holdfast.diagnose.evidence.composite import Composite

COMPOSITES = (
    Composite("error", "Requests fail", "Fewer requests fail", ("error",)),
    Composite("timeout", "Steps time out", "Fewer steps time out", ("timeout",)),
    Composite("throttled", "Steps are throttled", "Fewer steps are throttled", ("rate_limited",)),
    Composite(
        "own_error",
        "Requests fail after their calls went well",
        "Fewer requests fail after their calls went well",
        ("own_error",),
    ),
    Composite("latency", "Requests take longer", "Requests take less time", ("latency",)),
)
