"""`revert_prompt`: an earlier version of a managed prompt."""

from holdfast.act.protocol import Arguments, Caps
from holdfast.act.standing import among, in_force
from holdfast.control.effects import UsePrompt
from holdfast.control.prompts import rolled_back
from holdfast.control.snapshot import Snapshot


class RevertPromptArguments(Arguments, frozen=True, kw_only=True):
    """`version` of `prompt`; empty: the one published before the one in use."""

    prompt: str
    version: str = ""


class RevertPrompt:
    """Uses another version of a managed prompt for the requests in scope."""

    name = "revert_prompt"
    summary = "use an earlier version of a managed prompt"
    arguments = RevertPromptArguments
    caps = Caps(users=5_000, traffic=1.0)
    needs = ()

    def effect(self, arguments: RevertPromptArguments, scope: dict[str, str], snapshot: Snapshot) -> UsePrompt:
        """Raises InputError where there is no such prompt or none before, NotFoundError where there is no such version."""
        among("arguments.prompt", arguments.prompt, (prompt.name for prompt in snapshot.desired.prompts), "prompt")
        wanted = rolled_back(snapshot.desired, arguments.prompt, arguments.version)
        version = next(prompt.current for prompt in wanted.prompts if prompt.name == arguments.prompt)
        return UsePrompt(prompt=arguments.prompt, version=version)

    def does(self, effect: UsePrompt) -> str:
        """In words."""
        return f"prompt {effect.prompt} is used in version {effect.version}"

    def before(self, effect: UsePrompt, scope: dict[str, str], snapshot: Snapshot) -> str:
        """Which version is used now."""
        configured = next(prompt.current for prompt in snapshot.desired.prompts if prompt.name == effect.prompt)
        return f"{effect.prompt} in version {in_force(scope, snapshot).prompts.get(effect.prompt, configured)}"
