import typing

import msgspec
import pytest

from holdfast.control.effects import Effect, UseModel

KINDS = {
    "use_model",
    "use_template",
    "enforce_guards",
    "use_prompt",
    "pin_parameters",
    "disable_tool",
    "quarantine_source",
    "throttle",
    "block",
    "open_breaker",
    "shift_traffic",
    "refuse",
}


def test_the_union_is_closed_and_each_effect_has_a_kind_of_its_own() -> None:
    kinds = [member.__struct_config__.tag for member in typing.get_args(Effect)]
    assert set(kinds) == KINDS
    assert len(kinds) == len(KINDS)


def test_an_effect_comes_back_from_its_json() -> None:
    decoded = msgspec.json.decode(b'{"kind":"use_model","target":"small"}', type=Effect)
    assert decoded == UseModel(target="small")


@pytest.mark.parametrize(
    "text",
    ['{"kind":"use_model"}', '{"kind":"use_model","target":"a","more":1}', '{"kind":"erase_everything"}', "{}"],
    ids=["missing", "unknown-field", "unknown-kind", "no-kind"],
)
def test_an_effect_that_is_not_fully_understood_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Effect)
