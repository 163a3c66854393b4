import pytest

from holdfast.control.prompts import prompt, published, rolled_back
from holdfast.control.snapshot import Desired, PromptVersion
from holdfast.core.errors import InputError, NotFoundError
from holdfast.testing.control import example_desired

GOOD = example_desired()
V3 = PromptVersion(version="v3", text="Answer from the documents, and say so.", created_ns=3, author="ada")


def test_a_new_version_is_put_in_use_and_the_old_ones_stay() -> None:
    found = prompt(published(GOOD, "support", V3).prompts, "support")
    assert (found.current, [version.version for version in found.versions]) == ("v3", ["v1", "v2", "v3"])


def test_a_new_version_may_wait() -> None:
    assert prompt(published(GOOD, "support", V3, use=False).prompts, "support").current == "v2"


def test_the_first_version_makes_the_prompt() -> None:
    found = prompt(published(Desired(), "search", V3).prompts, "search")
    assert (found.current, found.versions) == ("v3", (V3,))


def test_a_version_never_changes_its_text() -> None:
    with pytest.raises(InputError, match="versions never change"):
        published(GOOD, "support", PromptVersion(version="v1", text="Other.", created_ns=9))


def test_publishing_the_same_again_only_puts_it_in_use() -> None:
    again = PromptVersion(version="v1", text=GOOD.prompts[0].versions[0].text, created_ns=99, author="grace")
    found = prompt(published(GOOD, "support", again).prompts, "support")
    assert (found.current, found.versions) == ("v1", GOOD.prompts[0].versions)


def test_rolling_back_goes_to_the_version_before_or_to_a_named_one_in_either_direction() -> None:
    back = rolled_back(GOOD, "support")
    assert prompt(back.prompts, "support").current == "v1"
    assert rolled_back(back, "support", "v2") == GOOD


def test_other_prompts_are_left_alone() -> None:
    both = published(GOOD, "search", V3)
    assert prompt(rolled_back(both, "support").prompts, "search") == prompt(both.prompts, "search")


def test_before_the_first_version_there_is_none() -> None:
    with pytest.raises(InputError, match="first version"):
        rolled_back(rolled_back(GOOD, "support"), "support")


@pytest.mark.parametrize(("name", "version"), [("gone", ""), ("support", "v9")], ids=["prompt", "version"])
def test_what_there_is_not_is_not_found(name: str, version: str) -> None:
    with pytest.raises(NotFoundError, match=version or name):
        rolled_back(GOOD, name, version)
