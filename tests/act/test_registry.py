from holdfast.act.registry import ACTIONS


def test_every_action_is_there_under_its_name_the_gentlest_first() -> None:
    assert list(ACTIONS) == [
        "pin_parameters",
        "revert_prompt",
        "quarantine_source",
        "disable_tool",
        "strict_filter",
        "throttle_user",
        "open_breaker",
        "shift_traffic",
        "downgrade_model",
        "block_user",
        "revert_template",
        "kill_route",
    ]


def test_stopping_a_route_is_never_left_to_automation() -> None:
    assert [name for name, action in ACTIONS.items() if action.caps.users == 0] == ["kill_route"]


def test_actions_on_a_user_need_a_user_and_those_on_a_route_a_route() -> None:
    needs = {name: action.needs for name, action in ACTIONS.items() if action.needs}
    assert needs == {
        "throttle_user": ("user",),
        "block_user": ("user",),
        "shift_traffic": ("route",),
        "kill_route": ("route",),
    }
