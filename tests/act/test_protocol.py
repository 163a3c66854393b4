import msgspec
import pytest

from holdfast.act.protocol import Action, Arguments, Caps
from holdfast.act.registry import ACTIONS


def test_caps_that_say_nothing_allow_automation_nothing() -> None:
    assert (Caps().users, Caps().traffic) == (0, 0.0)


def test_arguments_that_are_not_known_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"a": 1}, Arguments)


def test_an_action_is_whatever_has_its_parts() -> None:
    action: Action = ACTIONS["kill_route"]
    assert action.needs == ("route",)
