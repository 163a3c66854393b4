"""A desired state with one of everything, for tests of whatever works on snapshots."""

import hashlib

from holdfast.control.snapshot import (
    BreakerRule,
    BreakerSignal,
    Desired,
    Flag,
    FlagRule,
    Guard,
    GuardMode,
    GuardPlace,
    Prompt,
    PromptVersion,
    Route,
    Target,
    Template,
    VirtualKey,
    WeightedTarget,
)

EXAMPLE_KEY = "hfk-example"
"""The virtual key whose hash the example holds."""


def example_desired(base_url: str = "http://127.0.0.1:9") -> Desired:
    """Routes `support` (`large`, then `small`) and `search` (both by weight), with guards, breakers, prompts and flags."""
    return Desired(
        targets=(
            Target(name="large", base_url=base_url, api_key_env="UPSTREAM_KEY"),
            Target(name="small", base_url=base_url, model="small-1"),
            Target(name="spare", base_url=base_url, model="spare-1"),
        ),
        routes=(
            Route(
                name="support",
                targets=(WeightedTarget(target="large"), WeightedTarget(target="small", order=1)),
                models=("large-1",),
                template="sorry",
                prompt="support",
            ),
            Route(name="search", targets=(WeightedTarget(target="large", weight=3), WeightedTarget(target="small"))),
        ),
        guards=(
            Guard(name="injection", kind="injection", place=GuardPlace.INPUT),
            Guard(name="pii", kind="sensitive", place=GuardPlace.OUTPUT, mode=GuardMode.ENFORCE, threshold=0.7),
        ),
        breakers=(
            BreakerRule(name="transport", signal=BreakerSignal.TRANSPORT, dimensions=("target",)),
            BreakerRule(name="quality", signal=BreakerSignal.QUALITY, dimensions=("prompt.version",), guard="pii"),
        ),
        prompts=(
            Prompt(
                name="support",
                current="v2",
                versions=(
                    PromptVersion(version="v1", text="Answer from the documents only.", created_ns=1, author="ada"),
                    PromptVersion(version="v2", text="Answer.", created_ns=2, author="ada"),
                ),
            ),
        ),
        templates=(Template(name="sorry", texts={"": "We will come back to you, {user}.", "de": "Wir melden uns, {user}."}),),
        keys=(VirtualKey(name="shop", sha256=hashlib.sha256(EXAMPLE_KEY.encode()).hexdigest(), application="shop"),),
        flags=(
            Flag(
                key="new-ranking",
                variants={"on": True, "off": False},
                default="off",
                targeting=(FlagRule(scope={"tenant": "acme"}, variant="on"),),
            ),
        ),
    )
