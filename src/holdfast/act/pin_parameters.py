"""`pin_parameters`: request parameters such as the temperature are set, whatever the application asks for."""

from typing import Any

import msgspec

from holdfast.act.protocol import Arguments, Caps
from holdfast.act.standing import in_force
from holdfast.control.effects import PinParameters
from holdfast.control.snapshot import Snapshot
from holdfast.core.errors import InputError


class PinParametersArguments(Arguments, frozen=True, kw_only=True):
    """`parameters`: name to value, as the upstream's API has them."""

    parameters: dict[str, Any]


class PinParametersAction:
    """Overwrites parameters of the requests in scope."""

    name = "pin_parameters"
    summary = "set request parameters such as temperature or max_tokens"
    arguments = PinParametersArguments
    caps = Caps(users=5_000, traffic=1.0)
    needs = ()

    def effect(self, arguments: PinParametersArguments, scope: dict[str, str], snapshot: Snapshot) -> PinParameters:
        """Raises InputError where nothing is to be set."""
        if not arguments.parameters:
            raise InputError("is empty", "arguments.parameters")
        return PinParameters(parameters=arguments.parameters)

    def does(self, effect: PinParameters) -> str:
        """In words."""
        return f"every request is sent with {_said(effect.parameters)}"

    def before(self, effect: PinParameters, scope: dict[str, str], snapshot: Snapshot) -> str:
        """What is set by other leases; else each request has its own."""
        pinned = in_force(scope, snapshot).parameters
        standing = {name: pinned[name] for name in effect.parameters if name in pinned}
        return f"{_said(standing)} by other leases, the rest as requested" if standing else "as each request says"


def _said(parameters: dict[str, Any]) -> str:
    return ", ".join(f"{name}={msgspec.json.encode(value).decode()}" for name, value in parameters.items())
