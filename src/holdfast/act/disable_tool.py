"""`disable_tool`: a tool is taken away from the model."""

from holdfast.act.protocol import Arguments, Caps
from holdfast.act.standing import in_force
from holdfast.control.effects import DisableTool
from holdfast.control.snapshot import Snapshot
from holdfast.core.errors import InputError


class DisableToolArguments(Arguments, frozen=True, kw_only=True):
    """`tool`: its name as the application offers it."""

    tool: str


class DisableToolAction:
    """Takes a tool out of the requests in scope, and refuses calls of it in the answers."""

    name = "disable_tool"
    summary = "take a tool away from the model, and tell applications so by a flag"
    arguments = DisableToolArguments
    caps = Caps(users=5_000, traffic=0.5)
    needs = ()

    def effect(self, arguments: DisableToolArguments, scope: dict[str, str], snapshot: Snapshot) -> DisableTool:
        """Raises InputError where no tool is named."""
        if not arguments.tool.strip():
            raise InputError("is empty", "arguments.tool")
        return DisableTool(tool=arguments.tool)

    def does(self, effect: DisableTool) -> str:
        """In words."""
        return f"the tool {effect.tool} is taken out of every request, and calls of it are refused"

    def before(self, effect: DisableTool, scope: dict[str, str], snapshot: Snapshot) -> str:
        """Whether it is disabled already."""
        disabled = effect.tool in in_force(scope, snapshot).disabled_tools
        return f"{effect.tool} is disabled by another lease" if disabled else f"{effect.tool} may be called"
