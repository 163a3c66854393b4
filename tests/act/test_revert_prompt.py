import pytest

from holdfast.act.revert_prompt import RevertPrompt, RevertPromptArguments
from holdfast.control.effects import UsePrompt
from holdfast.core.errors import InputError, NotFoundError
from tests.act.examples import EXAMPLE, ROUTE
from tests.control.examples import lease, snapshot

ACTION = RevertPrompt()


def test_without_a_version_it_is_the_one_published_before() -> None:
    assert ACTION.effect(RevertPromptArguments(prompt="support"), ROUTE, EXAMPLE) == UsePrompt(prompt="support", version="v1")


def test_a_version_may_be_named() -> None:
    arguments = RevertPromptArguments(prompt="support", version="v2")
    assert ACTION.effect(arguments, ROUTE, EXAMPLE) == UsePrompt(prompt="support", version="v2")


@pytest.mark.parametrize(
    ("prompt", "version", "error"),
    [("gone", "", InputError), ("support", "v9", NotFoundError)],
    ids=["prompt", "version"],
)
def test_a_prompt_or_version_that_there_is_not_is_refused(prompt: str, version: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        ACTION.effect(RevertPromptArguments(prompt=prompt, version=version), ROUTE, EXAMPLE)


def test_what_is_in_use_is_said_from_the_registry_or_else_from_the_lease() -> None:
    wanted = UsePrompt(prompt="support", version="v1")
    assert ACTION.before(wanted, {"route": "support"}, EXAMPLE) == "support in version v2"
    assert ACTION.before(wanted, {"route": "support"}, snapshot(lease(wanted))) == "support in version v1"
