"""A snapshot as the data plane asks it."""

from holdfast.control.snapshot import (
    BreakerRule,
    BreakerSignal,
    Desired,
    Route,
    Snapshot,
    Target,
    VirtualKey,
    WeightedTarget,
)
from holdfast.gateway.compiled import ANY, Compiled
from holdfast.testing.gateway import KEY, hashed, simple


def compiled(desired: Desired, automation: bool = True) -> Compiled:
    return Compiled(Snapshot(version=1, created_ns=0, desired=desired, automation=automation))


def test_a_key_is_found_by_what_its_owner_shows_and_by_nothing_else() -> None:
    one = compiled(simple("http://127.0.0.1:1"))
    found = one.key(KEY)
    assert found is not None
    assert found.name == "app"
    assert [one.key(shown) for shown in ("", hashed(KEY), KEY + "x", "\udcff")] == [None] * 4


def test_without_keys_everybody_is_nobody_in_particular() -> None:
    assert compiled(Desired()).key("whatever") is ANY


def test_a_model_leads_to_its_route_before_a_route_for_any() -> None:
    to = (WeightedTarget(target="t"),)
    routes = (Route(name="any", targets=to), Route(name="mini", targets=to, models=("mini",)))
    one = compiled(Desired(targets=(Target(name="t", base_url="http://x"),), routes=routes))
    limited = VirtualKey(name="k", sha256="0" * 64, application="a", routes=("any",))
    names = [
        r.name if (r := one.route_of(key, "", model)) else None for key, model in ((ANY, "mini"), (ANY, "x"), (limited, "mini"))
    ]
    assert names == ["mini", "any", "any"]
    assert one.route_of(limited, "mini", "") is None


def test_there_is_always_a_breaker_on_transport() -> None:
    one = compiled(simple("http://127.0.0.1:1"))
    assert [r.signal for r in one.breakers("chat")] == [BreakerSignal.TRANSPORT]
    own = BreakerRule(name="mine", signal=BreakerSignal.TRANSPORT, min_count=1)
    assert compiled(simple("http://127.0.0.1:1", breakers=(own,))).breakers("chat") == (own,)


def test_the_red_button_puts_what_acts_on_judgement_into_shadow_and_leaves_transport() -> None:
    quality = BreakerRule(name="q", signal=BreakerSignal.QUALITY)
    rules = compiled(simple("http://127.0.0.1:1", breakers=(quality,)), automation=False).breakers("chat")
    assert {r.name: r.shadow for r in rules} == {"q": True, "transport": False}


def test_what_refers_to_nothing_is_reported() -> None:
    route = Route(name="r", targets=(WeightedTarget(target="gone"),), template="t", prompt="p")
    assert len(compiled(Desired(routes=(route,))).warnings) == 3
