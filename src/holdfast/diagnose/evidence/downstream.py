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
    Composite(
        "missing_tools",
        "Tools are not called where such questions had one called",
        "Tools are called where such questions had none",
        ("missing_tool_call",),
    ),
    Composite(
        "unexpected_tools",
        "Tools are called that such questions did without",
        "Fewer tools are called that such questions did without",
        ("unexpected_tool_call",),
    ),
    Derived("tool_presence", "Tools are called more or less often", presence("tool_error")),
)
