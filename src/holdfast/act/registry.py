"""All actions, from the one that disturbs least to the one that disturbs most."""

from holdfast.act.block_user import BlockUser
from holdfast.act.disable_tool import DisableToolAction
from holdfast.act.downgrade_model import DowngradeModel
from holdfast.act.kill_route import KillRoute
from holdfast.act.open_breaker import OpenBreakerAction
from holdfast.act.pin_parameters import PinParametersAction
from holdfast.act.protocol import Action
from holdfast.act.quarantine_source import QuarantineSourceAction
from holdfast.act.revert_prompt import RevertPrompt
from holdfast.act.revert_template import RevertTemplate
from holdfast.act.shift_traffic import ShiftTrafficAction
from holdfast.act.strict_filter import StrictFilter
from holdfast.act.throttle_user import ThrottleUser

_ALL: tuple[Action, ...] = (
    PinParametersAction(),
    RevertPrompt(),
    QuarantineSourceAction(),
    DisableToolAction(),
    StrictFilter(),
    ThrottleUser(),
    OpenBreakerAction(),
    ShiftTrafficAction(),
    DowngradeModel(),
    BlockUser(),
    RevertTemplate(),
    KillRoute(),
)

ACTIONS: dict[str, Action] = {action.name: action for action in _ALL}
"""By name."""
