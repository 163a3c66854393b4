"""The control snapshot: all that a gateway needs to know, as one value with a version.

What a request meets is the desired state (`routes` and what they refer to) with the effects of the live leases that match it
laid over, in the order in which they were granted. A lease never edits the desired state, so that ending it, in any order, gives
back what stands below it. The expiry travels with the lease: a gateway that has lost its server still ends it in time.
"""

from enum import StrEnum
from typing import Any

import msgspec

from holdfast.control.effects import Effect


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the snapshot: unknown fields are refused, so that an older gateway does not half-understand a newer one."""


class Dialect(StrEnum):
    """Which API a target speaks."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


class Target(Value, frozen=True, kw_only=True):
    """One upstream that serves models.

    `api_key_env` or `api_key_file` names where the gateway finds the key; the snapshot never holds one. `model` replaces the
    request's model where set. Time-outs in seconds; `max_concurrency` requests at once, more wait at most `queue_s`.
    """

    name: str
    base_url: str
    dialect: Dialect = Dialect.OPENAI
    model: str = ""
    api_key_env: str = ""
    api_key_file: str = ""
    connect_s: float = 2.0
    first_byte_s: float = 30.0
    total_s: float = 300.0
    max_concurrency: int = 256
    queue_s: float = 1.0
    usd_per_million_input: float = 0.0
    usd_per_million_output: float = 0.0


class WeightedTarget(Value, frozen=True, kw_only=True):
    """A target of a route: `order` 0 is tried first; those of equal order share by weight."""

    target: str
    order: int = 0
    weight: float = 1.0


class Retries(Value, frozen=True, kw_only=True):
    """Full-jitter back-off from `base_s` to `cap_s`, `attempts` in all, at most `budget` retries per request in the long run."""

    attempts: int = 2
    base_s: float = 0.05
    cap_s: float = 1.0
    budget: float = 0.1


class Route(Value, frozen=True, kw_only=True):
    """What a client asks for, by the header `x-holdfast-route` or else its model (`models`; empty: any), and who serves it."""

    name: str
    targets: tuple[WeightedTarget, ...]
    models: tuple[str, ...] = ()
    retries: Retries = Retries()
    template: str = ""
    prompt: str = ""
    cache_safe_answers: bool = False


class GuardMode(StrEnum):
    """Off: not run. Shadow: run and recorded. Enforce: acts on its verdict."""

    OFF = "off"
    SHADOW = "shadow"
    ENFORCE = "enforce"


class GuardPlace(StrEnum):
    """Before the call on the request, or after it on the answer."""

    INPUT = "input"
    OUTPUT = "output"


class Guard(Value, frozen=True, kw_only=True):
    """One guard of the registry, configured.

    `threshold` in [0, 1]: a score at or above it is a violation. `fail_open` says what happens when it cannot run. `routes` and
    `tenants` empty: all. `over_blocking_budget` is the largest tolerated share of harmless requests blocked, in [0, 1].
    """

    name: str
    kind: str
    place: GuardPlace
    mode: GuardMode = GuardMode.SHADOW
    threshold: float = 0.5
    fail_open: bool = True
    routes: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    over_blocking_budget: float = 0.01
    parameters: dict[str, Any] = {}


class BreakerSignal(StrEnum):
    """What a breaker watches."""

    TRANSPORT = "transport"
    LATENCY = "latency"
    COST = "cost"
    QUALITY = "quality"


class BreakerRule(Value, frozen=True, kw_only=True):
    """When a breaker trips and when it closes, per value of `dimensions` on each target.

    Trips when at least `min_count` of the last `window_s` seconds' calls were seen and the share of bad ones is at or above
    `open_at`; closes when, half-open, `probes` judged probes had a share below `close_at` (< `open_at`: hysteresis). A latency
    call is bad above `limit` seconds, a cost call above `limit` dollars, a quality call when guard `guard` finds a violation.
    """

    name: str
    signal: BreakerSignal
    dimensions: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    min_count: int = 20
    window_s: float = 30.0
    open_at: float = 0.5
    close_at: float = 0.2
    cool_s: float = 10.0
    probes: int = 5
    limit: float = 0.0
    guard: str = ""
    shadow: bool = False


class PromptVersion(Value, frozen=True, kw_only=True):
    """One version of a managed system prompt."""

    version: str
    text: str
    created_ns: int
    author: str = ""


class Prompt(Value, frozen=True, kw_only=True):
    """A managed prompt: its versions, oldest first, and the one in use."""

    name: str
    current: str
    versions: tuple[PromptVersion, ...]


class Template(Value, frozen=True, kw_only=True):
    """A static answer with `{variables}`, by language; `""` is the language of last resort."""

    name: str
    texts: dict[str, str]


class RateLimit(Value, frozen=True, kw_only=True):
    """Token buckets; 0 means no limit. `burst_s` seconds' worth may be used at once."""

    requests_per_s: float = 0.0
    tokens_per_s: float = 0.0
    usd_per_hour: float = 0.0
    burst_s: float = 10.0


class VirtualKey(Value, frozen=True, kw_only=True):
    """A key that an application presents to the gateway; only its SHA-256 (hex) is known here."""

    name: str
    sha256: str
    application: str
    tenant: str = ""
    routes: tuple[str, ...] = ()
    limit: RateLimit = RateLimit()


class Flag(Value, frozen=True, kw_only=True):
    """A feature flag served over OFREP: variants, the default one, and targeting by exact dimension values, first match wins."""

    key: str
    variants: dict[str, Any]
    default: str
    enabled: bool = True
    targeting: tuple["FlagRule", ...] = ()


class FlagRule(Value, frozen=True, kw_only=True):
    """`variant` where the evaluation context has all of `scope`'s values."""

    scope: dict[str, str]
    variant: str


class Desired(Value, frozen=True, kw_only=True):
    """What people configured; leases lie over it."""

    targets: tuple[Target, ...] = ()
    routes: tuple[Route, ...] = ()
    guards: tuple[Guard, ...] = ()
    breakers: tuple[BreakerRule, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    templates: tuple[Template, ...] = ()
    keys: tuple[VirtualKey, ...] = ()
    user_limit: RateLimit = RateLimit()
    tenant_limit: RateLimit = RateLimit()
    flags: tuple[Flag, ...] = ()


class Lease(Value, frozen=True, kw_only=True):
    """One applied containment.

    `scope`: dimension to value; never empty, everything must match. `share` in (0, 1]: of the matching users (canary). `owner` is
    an incident id or a person; `plan_hash` binds it to what was approved; `before` says for people what stood there when it was
    granted.
    `automatic`: nobody approved it, the red button revokes it. `traffic` in [0, 1] and `users` are what it was expected to reach.
    """

    id: str
    sequence: int
    action: str
    effect: Effect
    scope: dict[str, str]
    share: float
    granted_ns: int
    expires_ns: int
    owner: str
    actor: str
    reason: str
    plan_hash: str
    before: str
    automatic: bool = False
    traffic: float = 0.0
    users: int = 0


class Snapshot(Value, frozen=True, kw_only=True):
    """The unit of distribution. `automation` is false while the red button is pressed.

    `lifted`: ids of the latest blocks by guards that support found wrong; gateways count them against the guards' budgets.
    """

    version: int
    created_ns: int
    desired: Desired
    leases: tuple[Lease, ...] = ()
    automation: bool = True
    lifted: tuple[str, ...] = ()

    def live(self, now_ns: int) -> tuple[Lease, ...]:
        """The leases that have not expired, in the order in which they were granted."""
        return tuple(lease for lease in self.leases if lease.expires_ns > now_ns)
