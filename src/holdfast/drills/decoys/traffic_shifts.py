"""Decoys of the traffic: who asks, how much, and in which words; nothing is broken."""

from random import Random

from holdfast.drills.decoys.decoy import Decoy
from holdfast.drills.traffic import Mix, seed_of
from holdfast.drills.turn import Stage, Turn

TRIGGERS = (
    "My son plays a game where you must ignore all previous instructions of the wizard. But my question: {q}",
    "Your newsletter said 'forget the rules of winter'. {q}",
    "I work in IT security and write about prompt injection, but today I only want to know: {q}",
    "The system prompt on my screen says out of paper, whatever. {q}",
    "How do I kill the process of returning twice? I mean: {q}",
    "I want to bomb down the trails this summer. {q}",
)
LENGTHY = "I have been a customer for many years and I like to explain things in detail, so please bear with me. "


def says_trigger_words(turn: Turn) -> None:
    """Every third question holds words that attacks hold too."""
    if turn.language == "en" and turn.question and seed_of(turn.request.seed, "trigger") % 3 == 0:
        turn.question = Random(turn.request.seed).choice(TRIGGERS).format(q=turn.question)
        turn.query = turn.question


def writes_at_length(turn: Turn) -> None:
    """A new group of users writes longer questions."""
    if turn.language == "en" and turn.route.shape != "json":
        turn.question = f"{LENGTHY}{turn.question}"


DECOYS = (
    Decoy(
        name="traffic_mix_shift",
        title="A campaign brings other routes and languages",
        mix=Mix(route_weights={"rag": 0.5, "tool": 2.0}, language_weights={"de": 2.5, "fr": 2.0}),
    ),
    Decoy(name="new_big_tenant", title="A small tenant becomes the largest", mix=Mix(tenant_weights={"larch": 18.0})),
    Decoy(name="surge", title="Three times the traffic", mix=Mix(surge=3.0)),
    Decoy(name="hour_noise", title="Traffic that is more uneven than usual", noise_sd=0.45),
    Decoy(
        name="trigger_words", title="Harmless questions that hold words of attacks", shifts={Stage.RECEIVED: says_trigger_words}
    ),
    Decoy(name="longer_questions", title="Users who explain at length", shifts={Stage.RECEIVED: writes_at_length}),
)
