"""`downgrade_model`: another, usually smaller or older, model serves the requests in scope."""

from holdfast.act.protocol import Arguments, Caps
from holdfast.act.standing import among, routing_said
from holdfast.control.effects import UseModel
from holdfast.control.snapshot import Snapshot


class DowngradeModelArguments(Arguments, frozen=True, kw_only=True):
    """`target`: who shall serve them."""

    target: str


class DowngradeModel:
    """Sends every request in scope to one target."""

    name = "downgrade_model"
    summary = "send the requests to one other target, whatever their route would choose"
    arguments = DowngradeModelArguments
    caps = Caps(users=5_000, traffic=0.5)
    needs = ()

    def effect(self, arguments: DowngradeModelArguments, scope: dict[str, str], snapshot: Snapshot) -> UseModel:
        """Raises InputError where there is no such target."""
        among("arguments.target", arguments.target, (target.name for target in snapshot.desired.targets), "target")
        return UseModel(target=arguments.target)

    def does(self, effect: UseModel) -> str:
        """In words."""
        return f"every request goes to {effect.target}"

    def before(self, effect: UseModel, scope: dict[str, str], snapshot: Snapshot) -> str:
        """Who serves them now."""
        return routing_said(scope, snapshot)
