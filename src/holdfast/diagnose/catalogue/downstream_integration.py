"""Faults of tools, agents and whoever consumes the answers."""

from holdfast.core.diagnosis import Layer
from holdfast.diagnose.catalogue.hypothesis import Hypothesis


def _fault(fault: str, means: str, moves: str, where: tuple[str, str], action: str, weight: float = 1.0) -> Hypothesis:
    return Hypothesis(fault, Layer.DOWNSTREAM_INTEGRATION, moves, where[0], where[1], action, means, weight)


_TOOL = "tool:7 route:1.5 none:1"
_OFF = "disable the tool of {suspect}, or pin it to its last good version"

DOWNSTREAM_INTEGRATION = (
    _fault(
        "tool_schema_change",
        "a tool whose interface changed",
        "tool_error:++ tool_arguments:+ tool_loop:+ steps:+ latency:~ grounding:~ tool_contradiction:~ relevance:~ error:~",
        (_TOOL, "tool:8 code:1.5 none:1.5"),
        _OFF,
        1.3,
    ),
    _fault(
        "tool_stale_data",
        "a tool that returns old or wrong data without an error",
        "feedback:+ tool_contradiction:+ numbers:~ grounding:~ document_age:~ latency:~",
        (_TOOL, "tool:5 data:3 code:1.5 none:3"),
        _OFF,
        1.2,
    ),
    _fault(
        "tool_timeout_invention",
        "a tool that times out while the model invents its result",
        "timeout:+ tool_error:+ latency:++ tool_contradiction:+ grounding:+ numbers:+ tool_presence:~",
        (_TOOL, "none:5 tool:4 code:1.5 config:1.5"),
        "disable the slow tool of {suspect} so that the answer says that it is not available",
        1.2,
    ),
    _fault(
        "agent_loop",
        "an agent that goes in circles",
        "tool_loop:++ steps:++ cost:+ latency:+ tool_presence:+ input_length:+ truncation:~ error:~ own_error:~ timeout:~",
        ("route:4 tool:4 none:2 prompt.version:.7", "code:5 tool:3 config:2 prompt:.7 none:1.5"),
        "bound the number of steps for {suspect} and kill the looping route if they keep rising",
        1.2,
    ),
    _fault(
        "wrong_tool_arguments",
        "tool calls with wrong arguments",
        "tool_arguments:++ tool_error:+ numbers:~ grounding:~ tool_contradiction:~ relevance:~ tool_loop:~",
        (_TOOL, "code:4 tool:5 prompt:.8 config:1 none:1.5"),
        _OFF,
    ),
    _fault(
        "consumer_parser_change",
        "a consumer that can no longer read our answers",
        "own_error:+ error:++ tool_error:~ format:~ feedback:+",
        ("route:5 none:4 tenant:1.5 tool:1", "code:7 config:1.5 tool:1.5 none:2"),
        "pin the consumer of {suspect} to its last good version",
    ),
    _fault(
        "excess_permission",
        "a tool that may do more than it should",
        "toxicity:++ unexpected_tools:+ tools_offered:+ tool_presence:+ tool_arguments:~ steps:~ sensitive:~",
        (_TOOL, "config:4 tool:5 code:2.5 none:1.5"),
        "disable the tool of {suspect} until its permissions are back",
    ),
    _fault(
        "rate_limit_cascade",
        "back-pressure that spreads from a limited dependency",
        "throttled:+ timeout:~ model_error:~ latency:++ error:+ tool_error:+ truncation:~ tool_loop:~ "
        "volume:~ model_speed:~ answer_length:~",
        ("none:4 tool:4 route:2 tenant:1", "none:6 config:2.5 code:1.5 tool:1"),
        "shift traffic of {suspect} to another target and give retries a budget",
    ),
    _fault(
        "feedback_pipeline_broken",
        "feedback that no longer arrives, or arrives inverted",
        "feedback_presence:-- feedback:+-",
        ("none:7 route:2 region:1", "code:7 config:1.5 data:1 none:2"),
        "roll back the deploy of the feedback pipeline, and do not trust feedback metrics since then",
    ),
)
