"""`Change`: something that somebody did to an application, and that may be what broke it."""

from enum import StrEnum

import msgspec

CONTROL = "holdfast/control"
"""Source of what the control plane changed: mostly remedies, which come to those who are sick already."""


class ChangeKind(StrEnum):
    """What was changed."""

    PROMPT = "prompt"
    MODEL = "model"
    CONFIG = "config"
    INDEX = "index"
    TOOL = "tool"
    GUARDRAIL = "guardrail"
    CODE = "code"
    DATA = "data"
    FLAG = "flag"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A deploy, prompt, model, config, index, tool, guardrail, data or flag change.

    (`source`, `id`) is its identity, as in CloudEvents. `scope` limits it to a segment; empty means everything of `service`
    (or of all services where that is empty too). `from_value` and `to_value` are what the source said.
    """

    id: str
    time_ns: int
    kind: ChangeKind
    source: str = ""
    subject: str = ""
    target: str = ""
    from_value: str = ""
    to_value: str = ""
    service: str = ""
    scope: dict[str, str] = {}
