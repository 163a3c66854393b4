"""The tool allow-list: which tools a model may be offered, and may call."""

from dataclasses import dataclass

from holdfast.gateway.guards.protocol import Judge, Judgement, Parameters, Seen, parameter


@dataclass(frozen=True)
class ToolJudge:
    """Objects to every tool that is not `allowed`."""

    allowed: frozenset[str]

    def judge(self, seen: Seen) -> Judgement | None:
        """Of the answer its calls, of the request its offers; None where there are no tools."""
        called = None if seen.said is None or seen.on_request else seen.said.tool_calls
        names = list(seen.asked.tools) if called is None else [call.name for call in called]
        if not names:
            return None
        forbidden = sorted({n for n in names if n not in self.allowed})
        return Judgement(1.0, f"tool {forbidden[0][:60]} is not allowed") if forbidden else Judgement(0.0)


def tool_allow_list(parameters: Parameters) -> Judge:
    """The parameter `tools` lists those that are allowed; none are where it is empty."""
    return ToolJudge(frozenset(parameter(parameters, "tools", tuple[str, ...])))
