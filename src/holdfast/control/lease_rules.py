"""What leases must hold beyond their types, against the desired state below them."""

from collections.abc import Iterator
from functools import singledispatch

from holdfast.control.availability import in_order
from holdfast.control.effects import (
    Block,
    DisableTool,
    EnforceGuards,
    OpenBreaker,
    PinParameters,
    QuarantineSource,
    Refuse,
    ShiftTraffic,
    Throttle,
    UseModel,
    UsePrompt,
    UseTemplate,
)
from holdfast.control.problem import Problem, bad_name, bad_scope, doubled, outside, unknown
from holdfast.control.snapshot import Desired, Lease, Snapshot
from holdfast.core.clock import NS_PER_S

MIN_TTL_S = 1.0
MAX_TTL_S = 7 * 86_400.0
"""A containment that should stay longer than a week is configuration: change the desired state."""
MAX_LEASES = 500
"""Live leases at a time."""
MAX_REASON = 2_000

PROTECTED_PARAMETERS = frozenset({"messages", "input", "system", "model", "stream", "tools", "tool_choice", "metadata", "user"})
"""Parts of a request that are no parameters: other actions change some of them, none may change the rest."""


def lease_problems(snapshot: Snapshot) -> Iterator[Problem]:
    """All that is wrong with the leases."""
    leases = snapshot.leases
    if len(leases) > MAX_LEASES:
        yield Problem("leases", f"are {len(leases)}, at most {MAX_LEASES} are allowed")
    yield from doubled("leases", (lease.id for lease in leases))
    if not in_order(leases):
        yield Problem("leases", "do not stand in the order in which they were granted")
    for lease in leases:
        place = f"leases[{lease.id}]"
        yield from _lease(place, lease)
        yield from _effect(lease.effect, f"{place}.effect", snapshot.desired)
        yield from _needs_a_user(place, lease)


def _lease(place: str, lease: Lease) -> Iterator[Problem]:
    for name in ("id", "action"):
        yield from bad_name(f"{place}.{name}", getattr(lease, name))
    for name in ("owner", "actor", "reason"):
        text = getattr(lease, name)
        if not text.strip() or len(text) > MAX_REASON:
            yield Problem(f"{place}.{name}", f"must have 1 to {MAX_REASON} characters")
    yield from bad_scope(f"{place}.scope", lease.scope)
    yield from outside(f"{place}.share", lease.share, 0, 1, open_low=True)
    yield from outside(f"{place}.traffic", lease.traffic, 0, 1)
    yield from outside(f"{place}.users", lease.users, 0, 1e12)
    if lease.expires_ns <= lease.granted_ns:
        yield Problem(f"{place}.expires_ns", "is not after its grant")


def _needs_a_user(place: str, lease: Lease) -> Iterator[Problem]:
    if isinstance(lease.effect, Throttle | Block) and "user" not in lease.scope:
        yield Problem(f"{place}.scope", "must name the user: the abusing one is limited, never everyone")


def ttl_problems(place: str, ttl_s: float) -> Iterator[Problem]:
    """How long a lease may last from now."""
    yield from outside(place, ttl_s, MIN_TTL_S, MAX_TTL_S)


def ttl_ns(ttl_s: float) -> int:
    """Seconds as nanoseconds."""
    return round(ttl_s * NS_PER_S)


@singledispatch
def _effect(effect: object, place: str, desired: Desired) -> Iterator[Problem]:
    raise TypeError(f"unknown effect {type(effect).__name__}")


@_effect.register
def _(effect: UseModel, place: str, desired: Desired) -> Iterator[Problem]:
    yield from unknown(f"{place}.target", effect.target, {target.name for target in desired.targets}, "target")


@_effect.register
def _(effect: UseTemplate, place: str, desired: Desired) -> Iterator[Problem]:
    yield from unknown(f"{place}.template", effect.template, {template.name for template in desired.templates}, "template")


@_effect.register
def _(effect: EnforceGuards, place: str, desired: Desired) -> Iterator[Problem]:
    if not effect.guards:
        yield Problem(f"{place}.guards", "is empty")
    for name in effect.guards:
        yield from unknown(f"{place}.guards", name, {guard.name for guard in desired.guards}, "guard")
    if effect.threshold is not None:
        yield from outside(f"{place}.threshold", effect.threshold, 0, 1)


@_effect.register
def _(effect: UsePrompt, place: str, desired: Desired) -> Iterator[Problem]:
    versions = {prompt.name: {version.version for version in prompt.versions} for prompt in desired.prompts}
    yield from unknown(f"{place}.prompt", effect.prompt, versions, "prompt")
    if effect.prompt in versions:
        yield from unknown(f"{place}.version", effect.version, versions[effect.prompt], f"version of prompt {effect.prompt}")


@_effect.register
def _(effect: PinParameters, place: str, desired: Desired) -> Iterator[Problem]:
    if not effect.parameters:
        yield Problem(f"{place}.parameters", "is empty")
    for name in sorted(PROTECTED_PARAMETERS & effect.parameters.keys()):
        yield Problem(f"{place}.parameters[{name}]", "is part of the request itself, not a parameter")
    for name in effect.parameters:
        yield from bad_name(f"{place}.parameters", name)


@_effect.register
def _(effect: DisableTool, place: str, desired: Desired) -> Iterator[Problem]:
    yield from bad_name(f"{place}.tool", effect.tool)


@_effect.register
def _(effect: QuarantineSource, place: str, desired: Desired) -> Iterator[Problem]:
    if not effect.source.strip():
        yield Problem(f"{place}.source", "is empty")


@_effect.register
def _(effect: Throttle, place: str, desired: Desired) -> Iterator[Problem]:
    yield from outside(f"{place}.requests_per_s", effect.requests_per_s, 0, 1e6, open_low=True)


@_effect.register
def _(effect: Block, place: str, desired: Desired) -> Iterator[Problem]:
    yield from bad_name(f"{place}.block_id", effect.block_id)


@_effect.register
def _(effect: OpenBreaker, place: str, desired: Desired) -> Iterator[Problem]:
    yield from unknown(f"{place}.target", effect.target, {target.name for target in desired.targets}, "target")


@_effect.register
def _(effect: ShiftTraffic, place: str, desired: Desired) -> Iterator[Problem]:
    for name, weight in effect.weights.items():
        yield from unknown(f"{place}.weights", name, {target.name for target in desired.targets}, "target")
        yield from outside(f"{place}.weights[{name}]", weight, 0, 1e9)
    if not any(weight > 0 for weight in effect.weights.values()):
        yield Problem(f"{place}.weights", "have no weight at all: to stop a route, use kill_route")


@_effect.register
def _(effect: Refuse, place: str, desired: Desired) -> Iterator[Problem]:
    yield from outside(f"{place}.retry_after_s", effect.retry_after_s, 0, 86_400)
