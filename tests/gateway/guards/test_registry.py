"""One suite for every kind of guard."""

import pytest

from holdfast.core.call import Message, ToolCall
from holdfast.gateway.dialects.protocol import Asked, Said
from holdfast.gateway.guards.protocol import GuardKind, Seen
from holdfast.gateway.guards.registry import KINDS

ODD = ("", " ", "\x00", "\ud800 lone", "x" * 50_000, "名前を教えて", "{" * 500, "a\u202eb")


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda k: k.name)
def test_every_kind_works_without_parameters_and_scores_in_range_whatever_it_reads(kind: GuardKind) -> None:
    judge = kind.make({})
    for text in ODD:
        calls = (ToolCall("f", text),)
        for said in (None, Said(text=text, tool_calls=calls)):
            found = judge.judge(
                Seen(Asked(system=text, messages=(Message("user", text), Message("tool", text)), tools=("f",)), said)
            )
            assert found is None or 0.0 <= found.score <= 1.0


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda k: k.name)
def test_every_kind_says_the_same_twice_and_names_its_place(kind: GuardKind) -> None:
    judge, seen = kind.make({}), Seen(Asked(messages=(Message("user", "Where is my refund?"),)), Said(text="On its way."))
    assert judge.judge(seen) == judge.judge(seen)
    assert kind.places
    assert kind.window >= 0


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda k: k.name)
def test_a_harmless_exchange_passes_every_kind_at_its_default_threshold(kind: GuardKind) -> None:
    seen = Seen(Asked(messages=(Message("user", "Where is my refund?"),)), Said(text="It was sent on Monday."))
    found = kind.make({}).judge(seen)
    assert found is None or found.score < 0.5
