from random import Random

import pytest

from holdfast.drills.faults.fault import behaves, one_of, rewrites, sets
from holdfast.drills.turn import Behaviour
from tests.drills.turns import a_turn


def test_a_behaviour_is_forced() -> None:
    turn = a_turn("/chat")
    assert behaves(Behaviour.REFUSED)(turn, Random(1))
    assert turn.behaviour is Behaviour.REFUSED


def test_behaviours_are_drawn_by_weight() -> None:
    turn, seen = a_turn("/chat"), []
    strike = one_of(invented=0.9, unknown=0.1)
    for seed in range(300):
        strike(turn, Random(seed))
        seen.append(turn.behaviour)
    assert seen.count(Behaviour.INVENTED) > 220
    assert set(seen) == {Behaviour.INVENTED, Behaviour.UNKNOWN}


def test_an_unknown_behaviour_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="dances"):
        one_of(dances=1.0)


def test_parameters_are_set_and_others_kept() -> None:
    turn = a_turn("/chat")
    sets(temperature=1.8)(turn, Random(1))
    assert turn.parameters["temperature"] == 1.8
    assert turn.parameters["max_tokens"] == 400


def test_a_passage_of_the_template_is_replaced() -> None:
    turn = a_turn("/chat")
    turn.system = turn.route.system
    rewrites("Answer only from", "Answer beyond")(turn, Random(1))
    assert "Answer beyond the articles" in turn.system
