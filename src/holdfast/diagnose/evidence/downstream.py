"""Downstream integration: tools, agents and who consumes the answer."""

from holdfast.diagnose.evidence.composite import Composite, Derived, presence

COMPOSITES = (
    Composite("tool_error", "Tools fail", "Tools fail less", ("tool_error",)),
    Composite(
        "tool_arguments",
        "Tools are called with wrong arguments",
        "Tools are called with wrong arguments less often",
        ("tool_arguments_invalid",),
    ),
    Composite("tool_loop", "Agents go in circles", "Agents go in circles less", ("tool_loop", "repeated_call")),
    Composite("steps", "Requests take more steps", "Requests take fewer steps", ("steps",)),
    Composite(
        "tool_contradiction",
        "Answers contradict what tools returned",
        "Fewer answers contradict what tools returned",
        ("tool_contradiction",),
    ),
    Derived("tool_presence", "Tools are called more or less often", presence("tool_error")),
)
