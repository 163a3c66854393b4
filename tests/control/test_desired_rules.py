from typing import Any

import msgspec
import pytest

from holdfast.control.desired_rules import MAX_ENTRIES, MAX_TEXT, desired_problems
from holdfast.control.snapshot import (
    BreakerRule,
    BreakerSignal,
    Desired,
    Flag,
    FlagRule,
    Guard,
    GuardPlace,
    Prompt,
    PromptVersion,
    RateLimit,
    Retries,
    Route,
    Target,
    Template,
    VirtualKey,
    WeightedTarget,
)
from holdfast.testing.control import example_desired

GOOD = example_desired()
replace = msgspec.structs.replace


def found(**changes: Any) -> list[str]:
    return [str(problem) for problem in desired_problems(replace(GOOD, **changes))]


def target(**changes: Any) -> tuple[Target, ...]:
    return (replace(GOOD.targets[0], **changes), *GOOD.targets[1:])


def route(**changes: Any) -> tuple[Route, ...]:
    return (replace(GOOD.routes[0], **changes), GOOD.routes[1])


def guard(**changes: Any) -> tuple[Guard, ...]:
    return (*GOOD.guards, Guard(**{"name": "x", "kind": "x", "place": GuardPlace.INPUT, **changes}))


def breaker(**changes: Any) -> tuple[BreakerRule, ...]:
    return (BreakerRule(**{"name": "x", "signal": BreakerSignal.TRANSPORT, **changes}),)


def key(**changes: Any) -> tuple[VirtualKey, ...]:
    return (replace(GOOD.keys[0], **changes),)


def flag(**changes: Any) -> tuple[Flag, ...]:
    return (replace(GOOD.flags[0], **changes),)


def prompt(*versions: PromptVersion, current: str = "v1") -> tuple[Prompt, ...]:
    return (Prompt(name="support", current=current, versions=versions),)


V1 = PromptVersion(version="v1", text="Answer.", created_ns=1)


def test_the_example_and_nothing_at_all_are_fine() -> None:
    assert found() == []
    assert not list(desired_problems(Desired()))


@pytest.mark.parametrize(
    ("part", "entries", "expected"),
    [
        ("targets", target(name="large!"), "targets[0].name: 'large!' is no name"),
        ("targets", (*GOOD.targets, GOOD.targets[0]), "targets: 'large' is there twice"),
        ("targets", target(base_url="ftp://x"), "targets[large].base_url: 'ftp://x' is no http or https URL"),
        ("targets", target(base_url="http://"), "targets[large].base_url"),
        ("targets", target(base_url="http://x:99999"), "targets[large].base_url"),
        ("targets", target(base_url="http://[::1"), "targets[large].base_url"),
        ("targets", target(base_url="https://me:secret@x"), "targets[large].base_url: may hold no credentials"),
        ("targets", target(base_url="https://x/v1?key=secret"), "targets[large].base_url: may hold no credentials"),
        ("targets", target(api_key_file="/k"), "targets[large].api_key_file: stands beside api_key_env"),
        ("targets", target(api_key_env="sk-real key"), "targets[large].api_key_env: is no name"),
        ("targets", target(api_key_env="", api_key_file="../k"), "targets[large].api_key_file: is no absolute path"),
        ("targets", target(connect_s=0.0), "targets[large].connect_s: must be above 0"),
        ("targets", target(total_s=float("nan")), "targets[large].total_s"),
        ("targets", target(queue_s=-1.0), "targets[large].queue_s"),
        ("targets", target(max_concurrency=0), "targets[large].max_concurrency"),
        ("targets", target(usd_per_million_input=-1.0), "targets[large].usd_per_million_input"),
        ("routes", route(targets=()), "routes[support].targets: is empty"),
        ("routes", route(targets=(WeightedTarget(target="gone"),)), "routes[support].targets[gone]: there is no target 'gone'"),
        ("routes", route(targets=(WeightedTarget(target="large", weight=0),)), "routes[support].targets: have no weight at all"),
        ("routes", route(targets=(WeightedTarget(target="large", weight=-1),)), "routes[support].targets[large].weight"),
        ("routes", route(targets=(WeightedTarget(target="large", order=-1),)), "routes[support].targets[large].order"),
        ("routes", route(targets=(WeightedTarget(target="large"),) * 2), "routes[support].targets: 'large' is there twice"),
        ("routes", route(template="gone"), "routes[support].template: there is no template 'gone'"),
        ("routes", route(prompt="gone"), "routes[support].prompt: there is no prompt 'gone'"),
        ("routes", route(retries=Retries(attempts=0)), "routes[support].retries.attempts"),
        ("routes", route(retries=Retries(base_s=2, cap_s=1)), "routes[support].retries.cap_s"),
        ("routes", route(retries=Retries(budget=2)), "routes[support].retries.budget"),
        ("guards", guard(kind=""), "guards[x].kind: is empty"),
        ("guards", guard(threshold=1.5), "guards[x].threshold"),
        ("guards", guard(over_blocking_budget=-0.1), "guards[x].over_blocking_budget"),
        ("guards", guard(routes=("gone",)), "guards[x].routes: there is no route 'gone'"),
        ("breakers", breaker(dimensions=("colour",)), "breakers[x].dimensions: 'colour' is no dimension"),
        ("breakers", breaker(dimensions=("replica",)), "breakers[x].dimensions: 'replica' is nothing that a gateway knows"),
        ("breakers", breaker(routes=("gone",)), "breakers[x].routes: there is no route"),
        ("breakers", breaker(min_count=0), "breakers[x].min_count"),
        ("breakers", breaker(window_s=0.0), "breakers[x].window_s"),
        ("breakers", breaker(open_at=0.0, close_at=0.0), "breakers[x].open_at"),
        ("breakers", breaker(close_at=0.5), "breakers[x].close_at: must be below open_at (0.5), or it would flap"),
        ("breakers", breaker(cool_s=-1.0), "breakers[x].cool_s"),
        ("breakers", breaker(probes=0), "breakers[x].probes"),
        ("breakers", breaker(signal=BreakerSignal.LATENCY), "breakers[x].limit: must be above 0"),
        ("breakers", breaker(signal=BreakerSignal.QUALITY, guard="gone"), "breakers[x].guard: there is no guard 'gone'"),
        ("prompts", prompt(V1, current="v9"), "prompts[support].current: there is no version 'v9'"),
        ("prompts", prompt(V1, V1), "prompts[support].versions: 'v1' is there twice"),
        ("prompts", prompt(replace(V1, text=" ")), "prompts[support].versions[v1].text: is blank"),
        ("prompts", prompt(replace(V1, text="x" * (MAX_TEXT + 1))), "prompts[support].versions[v1].text: has"),
        ("templates", (Template(name="sorry", texts={"de": "x"}),), "templates[sorry].texts: has no text"),
        ("templates", (Template(name="sorry", texts={"": ""}),), "templates[sorry].texts[]: is blank"),
        ("keys", key(sha256="ABC"), "keys[shop].sha256: is no SHA-256"),
        ("keys", (GOOD.keys[0], replace(GOOD.keys[0], name="b")), "keys.sha256"),
        ("keys", key(application=""), "keys[shop].application: is empty"),
        ("keys", key(routes=("gone",)), "keys[shop].routes: there is no route"),
        ("keys", key(limit=RateLimit(tokens_per_s=-1)), "keys[shop].limit.tokens_per_s"),
        ("keys", key(limit=RateLimit(burst_s=0)), "keys[shop].limit.burst_s"),
        ("user_limit", RateLimit(usd_per_hour=float("inf")), "user_limit.usd_per_hour"),
        ("tenant_limit", RateLimit(requests_per_s=-1), "tenant_limit.requests_per_s"),
        ("flags", flag(default="gone"), "flags[new-ranking].default: there is no variant 'gone'"),
        ("flags", flag(key="holdfast.automation"), "flags[holdfast.automation].key: begins with"),
        ("flags", flag(variants={"on": True, "off": "no"}), "flags[new-ranking].variants: are of several types"),
        ("flags", flag(targeting=(FlagRule(scope={}, variant="on"),)), "flags[new-ranking].targeting[0].scope: is empty"),
        ("flags", flag(targeting=(FlagRule(scope={"tenant": "a"}, variant="x"),)), "flags[new-ranking].targeting[0].variant"),
    ],
    ids=lambda value: value[:60].replace(" ", "_") if isinstance(value, str) else "",
)
def test_what_makes_no_sense_is_refused_with_its_place(part: str, entries: object, expected: str) -> None:
    problems = found(**{part: entries})
    assert any(problem.startswith(expected) for problem in problems), problems


def test_no_list_grows_without_bound() -> None:
    many = tuple(replace(GOOD.templates[0], name=f"t{n}") for n in range(MAX_ENTRIES + 1))
    assert any("at most" in problem for problem in found(templates=(*GOOD.templates, *many)))


def test_a_secret_in_a_url_is_not_repeated_in_the_message() -> None:
    assert not any("hunter2" in problem for problem in found(targets=target(base_url="https://me:hunter2@x")))


def test_numbers_whole_or_not_are_one_type_for_a_flag() -> None:
    assert found(flags=flag(variants={"on": 1, "off": 0.5})) == []
