"""What a desired state must hold beyond its types: one generator of problems a part."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from holdfast.control.problem import Problem, bad_name, bad_scope, doubled, outside, unknown
from holdfast.control.snapshot import (
    BreakerRule,
    BreakerSignal,
    Desired,
    Flag,
    Guard,
    Prompt,
    RateLimit,
    Retries,
    Route,
    Target,
    Template,
    VirtualKey,
)
from holdfast.core.call import DIMENSIONS, MACHINES

MAX_ENTRIES = 2_000
"""Entries of each list, at most."""
MAX_TEXT = 256 * 1024
"""Characters of a prompt or a template, at most."""
RESERVED = "holdfast."
"""Flags of this beginning are made from leases."""

DAY_S = 86_400.0
MANY = 1e9
_ENVIRONMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def desired_problems(desired: Desired) -> Iterator[Problem]:
    """All that is wrong with a desired state, in its order."""
    for part in ("targets", "routes", "guards", "breakers", "prompts", "templates", "keys", "flags"):
        entries = getattr(desired, part)
        names = [getattr(entry, "name", "") or getattr(entry, "key", "") for entry in entries]
        if len(entries) > MAX_ENTRIES:
            yield Problem(part, f"has {len(entries)} entries, at most {MAX_ENTRIES} are allowed")
        for at, name in enumerate(names):
            yield from bad_name(f"{part}[{at}].name", name)
        yield from doubled(part, names)
    yield from _references(desired)
    for target in desired.targets:
        yield from _target(f"targets[{target.name}]", target)
    for breaker in desired.breakers:
        yield from _breaker(f"breakers[{breaker.name}]", breaker)
    for prompt in desired.prompts:
        yield from _prompt(f"prompts[{prompt.name}]", prompt)
    for template in desired.templates:
        yield from _template(f"templates[{template.name}]", template)
    for flag in desired.flags:
        yield from _flag(f"flags[{flag.key}]", flag)
    yield from _limit("user_limit", desired.user_limit)
    yield from _limit("tenant_limit", desired.tenant_limit)


def _references(desired: Desired) -> Iterator[Problem]:
    targets = {target.name for target in desired.targets}
    routes = {route.name for route in desired.routes}
    guards = {guard.name for guard in desired.guards}
    for route in desired.routes:
        yield from _route(f"routes[{route.name}]", route, targets)
        if route.template:
            yield from unknown(f"routes[{route.name}].template", route.template, {t.name for t in desired.templates}, "template")
        if route.prompt:
            yield from unknown(f"routes[{route.name}].prompt", route.prompt, {p.name for p in desired.prompts}, "prompt")
    for guard in desired.guards:
        yield from _guard(f"guards[{guard.name}]", guard, routes)
    for breaker in desired.breakers:
        for name in breaker.routes:
            yield from unknown(f"breakers[{breaker.name}].routes", name, routes, "route")
        if breaker.signal is BreakerSignal.QUALITY:
            yield from unknown(f"breakers[{breaker.name}].guard", breaker.guard, guards, "guard")
    for key in desired.keys:
        yield from _key(f"keys[{key.name}]", key, routes)
    yield from doubled("keys.sha256", (key.sha256 for key in desired.keys))


def _target(place: str, target: Target) -> Iterator[Problem]:
    try:
        url = urlsplit(target.base_url)
        port_is_fine = url.port is None or 0 < url.port < 65_536
    except ValueError:
        url, port_is_fine = urlsplit(""), False
    if url.scheme not in ("http", "https") or not url.hostname or not port_is_fine:
        yield Problem(f"{place}.base_url", f"{target.base_url[:200]!r} is no http or https URL")
    elif url.username or url.password or url.query or url.fragment:
        yield Problem(
            f"{place}.base_url", "may hold no credentials, query or fragment: keys come from api_key_env or api_key_file"
        )
    if target.api_key_env and target.api_key_file:
        yield Problem(f"{place}.api_key_file", "stands beside api_key_env: choose one")
    if target.api_key_env and not _ENVIRONMENT.fullmatch(target.api_key_env):
        yield Problem(f"{place}.api_key_env", "is no name of an environment variable")
    if target.api_key_file and not target.api_key_file.startswith("/"):
        yield Problem(f"{place}.api_key_file", "is no absolute path")
    for name in ("connect_s", "first_byte_s", "total_s"):
        yield from outside(f"{place}.{name}", getattr(target, name), 0, DAY_S, open_low=True)
    yield from outside(f"{place}.queue_s", target.queue_s, 0, DAY_S)
    yield from outside(f"{place}.max_concurrency", target.max_concurrency, 1, 100_000)
    for name in ("usd_per_million_input", "usd_per_million_output"):
        yield from outside(f"{place}.{name}", getattr(target, name), 0, MANY)


def _route(place: str, route: Route, targets: set[str]) -> Iterator[Problem]:
    if not route.targets:
        yield Problem(f"{place}.targets", "is empty: nobody would serve it")
    yield from doubled(f"{place}.targets", (weighted.target for weighted in route.targets))
    for weighted in route.targets:
        inside = f"{place}.targets[{weighted.target}]"
        yield from unknown(inside, weighted.target, targets, "target")
        yield from outside(f"{inside}.weight", weighted.weight, 0, MANY)
        yield from outside(f"{inside}.order", weighted.order, 0, 100)
    if route.targets and not any(weighted.weight > 0 for weighted in route.targets):
        yield Problem(f"{place}.targets", "have no weight at all: nobody would serve it")
    yield from _retries(f"{place}.retries", route.retries)


def _retries(place: str, retries: Retries) -> Iterator[Problem]:
    yield from outside(f"{place}.attempts", retries.attempts, 1, 10)
    yield from outside(f"{place}.base_s", retries.base_s, 0, 60)
    yield from outside(f"{place}.cap_s", retries.cap_s, retries.base_s, 60)
    yield from outside(f"{place}.budget", retries.budget, 0, 1)


def _guard(place: str, guard: Guard, routes: set[str]) -> Iterator[Problem]:
    yield from bad_name(f"{place}.kind", guard.kind)
    yield from outside(f"{place}.threshold", guard.threshold, 0, 1)
    yield from outside(f"{place}.over_blocking_budget", guard.over_blocking_budget, 0, 1)
    for name in guard.routes:
        yield from unknown(f"{place}.routes", name, routes, "route")


def _breaker(place: str, rule: BreakerRule) -> Iterator[Problem]:
    for name in rule.dimensions:
        if name not in (*DIMENSIONS, "target"):
            yield Problem(f"{place}.dimensions", f"{name!r} is no dimension; one of target, {', '.join(DIMENSIONS)}")
        elif name in MACHINES:
            yield Problem(f"{place}.dimensions", f"{name!r} is nothing that a gateway knows of a request")
    yield from outside(f"{place}.min_count", rule.min_count, 1, 1_000_000)
    yield from outside(f"{place}.window_s", rule.window_s, 0, DAY_S, open_low=True)
    yield from outside(f"{place}.open_at", rule.open_at, 0, 1, open_low=True)
    yield from outside(f"{place}.close_at", rule.close_at, 0, 1)
    if rule.close_at >= rule.open_at:
        yield Problem(f"{place}.close_at", f"must be below open_at ({rule.open_at:g}), or it would flap")
    yield from outside(f"{place}.cool_s", rule.cool_s, 0, DAY_S)
    yield from outside(f"{place}.probes", rule.probes, 1, 1_000)
    if rule.signal in (BreakerSignal.LATENCY, BreakerSignal.COST):
        yield from outside(f"{place}.limit", rule.limit, 0, MANY, open_low=True)


def _prompt(place: str, prompt: Prompt) -> Iterator[Problem]:
    versions = [version.version for version in prompt.versions]
    yield from unknown(f"{place}.current", prompt.current, versions, "version")
    yield from doubled(f"{place}.versions", versions)
    for version in prompt.versions:
        yield from bad_name(f"{place}.versions[{version.version}].version", version.version)
        yield from _text(f"{place}.versions[{version.version}].text", version.text)


def _template(place: str, template: Template) -> Iterator[Problem]:
    if "" not in template.texts:
        yield Problem(f"{place}.texts", 'has no text for the language "", the last resort')
    for language, text in template.texts.items():
        yield from _text(f"{place}.texts[{language}]", text)


def _text(place: str, text: str) -> Iterator[Problem]:
    if not text.strip():
        yield Problem(place, "is blank")
    elif len(text) > MAX_TEXT:
        yield Problem(place, f"has {len(text)} characters, at most {MAX_TEXT} are allowed")


def _key(place: str, key: VirtualKey, routes: set[str]) -> Iterator[Problem]:
    if not _SHA256.fullmatch(key.sha256):
        yield Problem(f"{place}.sha256", "is no SHA-256 in lower case hexadecimal")
    if not key.application:
        yield Problem(f"{place}.application", "is empty")
    for name in key.routes:
        yield from unknown(f"{place}.routes", name, routes, "route")
    yield from _limit(f"{place}.limit", key.limit)


def _limit(place: str, limit: RateLimit) -> Iterator[Problem]:
    for name in ("requests_per_s", "tokens_per_s", "usd_per_hour"):
        yield from outside(f"{place}.{name}", getattr(limit, name), 0, MANY)
    yield from outside(f"{place}.burst_s", limit.burst_s, 0, DAY_S, open_low=True)


def _flag(place: str, flag: Flag) -> Iterator[Problem]:
    if flag.key.startswith(RESERVED):
        yield Problem(f"{place}.key", f"begins with {RESERVED!r}: those flags are made from leases")
    yield from unknown(f"{place}.default", flag.default, flag.variants, "variant")
    kinds = {_kind(value) for value in flag.variants.values()}
    if len(kinds) > 1:
        yield Problem(f"{place}.variants", f"are of several types: {', '.join(sorted(kinds))}")
    for at, rule in enumerate(flag.targeting):
        yield from unknown(f"{place}.targeting[{at}].variant", rule.variant, flag.variants, "variant")
        yield from bad_scope(f"{place}.targeting[{at}].scope", rule.scope)


def _kind(value: object) -> str:
    """OpenFeature's type of a value; a client asks for one type and gets its default where the value has another."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "object"
