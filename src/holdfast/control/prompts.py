"""The prompt registry: versions are added and never changed; which one is in use moves forward and back."""

from collections.abc import Iterable

import msgspec

from holdfast.control.snapshot import Desired, Prompt, PromptVersion
from holdfast.core.errors import InputError, NotFoundError


def published(desired: Desired, name: str, version: PromptVersion, use: bool = True) -> Desired:
    """With a new version of a prompt, which is made where there was none; `use` puts it in use.

    Raises:
        InputError: there is such a version with another text. The same text again changes nothing but what is in use.
    """
    found = next((prompt for prompt in desired.prompts if prompt.name == name), None)
    if found is None:
        return _with(desired, Prompt(name=name, current=version.version, versions=(version,)))
    known = next((v for v in found.versions if v.version == version.version), None)
    if known is not None and known.text != version.text:
        raise InputError(f"version {version.version} of {name} is there with another text: versions never change", "version")
    versions = found.versions if known else (*found.versions, version)
    current = version.version if use else found.current
    return _with(desired, msgspec.structs.replace(found, versions=versions, current=current))


def rolled_back(desired: Desired, name: str, version: str = "") -> Desired:
    """With another version of a prompt in use: `version`, or the one published before the one in use.

    Raises:
        NotFoundError: there is no such prompt or version.
        InputError: nothing was published before the one in use.
    """
    found = prompt(desired.prompts, name)
    versions = [v.version for v in found.versions]
    if not version:
        at = versions.index(found.current)
        if at == 0:
            raise InputError(f"{found.current} is the first version of {name}: there is none before it", "version")
        version = versions[at - 1]
    if version not in versions:
        raise NotFoundError(f"prompt {name} has no version {version!r}: {', '.join(versions)}")
    return _with(desired, msgspec.structs.replace(found, current=version))


def prompt(prompts: Iterable[Prompt], name: str) -> Prompt:
    """The prompt of this name.

    Raises:
        NotFoundError: there is none.
    """
    found = next((prompt for prompt in prompts if prompt.name == name), None)
    if found is None:
        raise NotFoundError(f"no prompt {name!r}")
    return found


def _with(desired: Desired, changed: Prompt) -> Desired:
    if any(prompt.name == changed.name for prompt in desired.prompts):
        prompts = tuple(changed if prompt.name == changed.name else prompt for prompt in desired.prompts)
    else:
        prompts = (*desired.prompts, changed)
    return msgspec.structs.replace(desired, prompts=prompts)
