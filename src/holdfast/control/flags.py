"""Flags as OpenFeature clients see them: those that people configured, and those that leases make.

Made from leases, each for the requests that its scope and share match:

- ``holdfast.tools.disabled`` and ``holdfast.sources.quarantined``: ``{"names": […]}``;
- ``holdfast.tool.<name>.disabled`` and ``holdfast.source.<name>.quarantined``: true or false, false for a name that no lease has;
- ``holdfast.automation``: whether automation may act.

A client's evaluation context is read by the names of the dimensions; its targeting key is the user where it names none.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from holdfast.control.effective import Effective, Matcher
from holdfast.control.effects import DisableTool, QuarantineSource
from holdfast.control.snapshot import Flag, Snapshot
from holdfast.core.call import DIMENSIONS, Dimensions

TOOLS = "holdfast.tools.disabled"
SOURCES = "holdfast.sources.quarantined"
AUTOMATION = "holdfast.automation"


class FlagReason(StrEnum):
    """OpenFeature's reasons that occur here."""

    STATIC = "STATIC"
    TARGETING_MATCH = "TARGETING_MATCH"
    DISABLED = "DISABLED"


class Evaluation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One flag for one context, in OFREP's shape. No `value`: the client uses the default in its code."""

    key: str
    reason: FlagReason
    variant: str
    value: Any = msgspec.UNSET
    metadata: dict[str, str | bool | float] = {}


class Flags:
    """The flags of one snapshot. Leases that have expired by the time that is asked for are gone.

    Args:
        snapshot: what is in force.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._matcher = Matcher(snapshot)
        self._flags = {flag.key: flag for flag in snapshot.desired.flags}

    def one(self, key: str, context: Mapping[str, Any], now_ns: int) -> Evaluation | None:
        """The flag `key` for a context; None where there is none of that key."""
        dimensions = dimensions_of(context)
        flag = self._flags.get(key)
        if flag is not None:
            return self._configured(flag, dimensions)
        return self._made(key, self._effective(dimensions, now_ns))

    def all(self, context: Mapping[str, Any], now_ns: int) -> list[Evaluation]:
        """Every configured flag, and those of leases for the names that some live lease has."""
        dimensions = dimensions_of(context)
        effective = self._effective(dimensions, now_ns)
        made = (self._made(key, effective) for key in self._lease_keys(now_ns))
        return [*(self._configured(flag, dimensions) for flag in self._flags.values()), *(one for one in made if one)]

    def _effective(self, dimensions: Dimensions, now_ns: int) -> Effective:
        return self._matcher.match(dimensions, now_ns, unit=next(iter(dimensions.get("user", ())), ""))

    def _lease_keys(self, now_ns: int) -> list[str]:
        effects = [lease.effect for lease in self.snapshot.live(now_ns)]
        tools = sorted({effect.tool for effect in effects if isinstance(effect, DisableTool)})
        sources = sorted({effect.source for effect in effects if isinstance(effect, QuarantineSource)})
        named = [*(_tool_key(name) for name in tools), *(_source_key(name) for name in sources)]
        return [AUTOMATION, TOOLS, SOURCES, *named]

    def _configured(self, flag: Flag, dimensions: Dimensions) -> Evaluation:
        if not flag.enabled:
            return Evaluation(key=flag.key, reason=FlagReason.DISABLED, variant=flag.default)
        for rule in flag.targeting:
            if all(value in dimensions.get(name, ()) for name, value in rule.scope.items()):
                return Evaluation(
                    key=flag.key,
                    reason=FlagReason.TARGETING_MATCH,
                    variant=rule.variant,
                    value=flag.variants[rule.variant],
                )
        return Evaluation(key=flag.key, reason=FlagReason.STATIC, variant=flag.default, value=flag.variants[flag.default])

    def _made(self, key: str, effective: Effective) -> Evaluation | None:
        if key == AUTOMATION:
            return _switch(key, self.snapshot.automation, FlagReason.STATIC)
        for listed, names in ((TOOLS, effective.disabled_tools), (SOURCES, effective.quarantined_sources)):
            if key == listed:
                value = {"names": sorted(names)}
                return Evaluation(key=key, reason=_reason(names), variant="some" if names else "none", value=value)
        tool = _between(key, "holdfast.tool.", ".disabled")
        if tool:
            return _switch(key, tool in effective.disabled_tools, _reason(effective.disabled_tools))
        source = _between(key, "holdfast.source.", ".quarantined")
        if source:
            return _switch(key, source in effective.quarantined_sources, _reason(effective.quarantined_sources))
        return None


def dimensions_of(context: Mapping[str, Any]) -> Dimensions:
    """The dimensions in an evaluation context: texts, or lists of texts; what is neither is left out."""
    found: Dimensions = {}
    for name in DIMENSIONS:
        value = context.get(name)
        values = value if isinstance(value, list) else [value]
        texts = tuple(text for text in values if isinstance(text, str) and text)
        if texts:
            found[name] = texts
    targeting_key = context.get("targetingKey")
    if "user" not in found and isinstance(targeting_key, str) and targeting_key:
        found["user"] = (targeting_key,)
    return found


def _switch(key: str, on: bool, reason: FlagReason) -> Evaluation:
    return Evaluation(key=key, reason=reason, variant="on" if on else "off", value=on)


def _reason(names: frozenset[str]) -> FlagReason:
    return FlagReason.TARGETING_MATCH if names else FlagReason.STATIC


def _tool_key(name: str) -> str:
    return f"holdfast.tool.{name}.disabled"


def _source_key(name: str) -> str:
    return f"holdfast.source.{name}.quarantined"


def _between(key: str, before: str, after: str) -> str:
    """What stands between the two; empty where the key is not of that form."""
    whole = key.startswith(before) and key.endswith(after)
    return key[len(before) : -len(after)] if whole else ""
