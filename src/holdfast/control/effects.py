"""What a lease does to a request that it matches: a closed set of effects, each a value; removing it is its inverse."""

from typing import Any

import msgspec


class EffectValue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Base of the effects: the field `kind` tells them apart."""


class UseModel(EffectValue, frozen=True, kw_only=True, tag="use_model"):
    """Sends the request to `target`, whichever the route would have chosen; the action `downgrade_model`."""

    target: str


class UseTemplate(EffectValue, frozen=True, kw_only=True, tag="use_template"):
    """Answers with a template instead of a model; the action `revert_template`."""

    template: str


class EnforceGuards(EffectValue, frozen=True, kw_only=True, tag="enforce_guards"):
    """Puts guards in force, at `threshold` where it is set; the action `strict_filter`."""

    guards: tuple[str, ...]
    threshold: float | None = None


class UsePrompt(EffectValue, frozen=True, kw_only=True, tag="use_prompt"):
    """Uses this version of a managed prompt; the action `revert_prompt`."""

    prompt: str
    version: str


class PinParameters(EffectValue, frozen=True, kw_only=True, tag="pin_parameters"):
    """Overwrites request parameters such as `temperature`."""

    parameters: dict[str, Any]


class DisableTool(EffectValue, frozen=True, kw_only=True, tag="disable_tool"):
    """Takes a tool out of the request and refuses calls of it in the answer."""

    tool: str


class QuarantineSource(EffectValue, frozen=True, kw_only=True, tag="quarantine_source"):
    """Tells applications, through a flag, not to retrieve from `source`, and refuses requests that declare it."""

    source: str


class Throttle(EffectValue, frozen=True, kw_only=True, tag="throttle"):
    """Limits the matching user to so many requests a second."""

    requests_per_s: float


class Block(EffectValue, frozen=True, kw_only=True, tag="block"):
    """Refuses the matching user; `block_id` is what support looks up."""

    block_id: str


class OpenBreaker(EffectValue, frozen=True, kw_only=True, tag="open_breaker"):
    """Keeps the breaker of `target` open for the matching requests; closes early when its judged probes are good."""

    target: str
    judge: str = ""


class ShiftTraffic(EffectValue, frozen=True, kw_only=True, tag="shift_traffic"):
    """Replaces the weights of a route's targets."""

    weights: dict[str, float]


class Refuse(EffectValue, frozen=True, kw_only=True, tag="refuse"):
    """Refuses the request with a hint when to retry, in seconds; the action `kill_route`."""

    retry_after_s: float = 60.0


Effect = (
    UseModel
    | UseTemplate
    | EnforceGuards
    | UsePrompt
    | PinParameters
    | DisableTool
    | QuarantineSource
    | Throttle
    | Block
    | OpenBreaker
    | ShiftTraffic
    | Refuse
)
