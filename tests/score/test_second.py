"""Second opinions cost no more than they may, and are missed by nobody who looks at means."""

from collections.abc import Callable

import pytest

from holdfast.core.clock import NS_PER_S
from holdfast.score.attack import Attack
from holdfast.score.grounding import Grounding
from holdfast.score.protocol import Scorer
from holdfast.score.safety import ALWAYS, Safety
from holdfast.score.second import LEAST, SAVED_S, STOOD_IN, Limited, SecondOpinions, Unlimited
from holdfast.score.text import sigmoid
from holdfast.testing.clock import FakeClock
from tests.score.build import ANSWER, exchange, scores

ABUSE = "You are a worthless idiot, and I will tell you how to hurt your neighbour."


class Work:
    """An opinion that costs `seconds`."""

    def __init__(self, seconds: float, said: float = 1.0) -> None:
        self.seconds, self.said = seconds, said
        self.spent_s, self.done = 0.0, 0

    def cpu(self) -> float:
        return self.spent_s

    def __call__(self) -> float:
        self.spent_s += self.seconds
        self.done += 1
        return self.said


class At:
    """A clock that somebody sets."""

    def __init__(self, now: list[int]) -> None:
        self.now = now

    def now_ns(self) -> int:
        return self.now[0]


def limited(work: Work, clock: FakeClock, share: float = 0.25) -> Limited:
    return Limited(share, clock, work.cpu)


def spend(second: Limited, work: Work) -> None:
    while second.ask("toxicity", 0.0, work)[1]:
        pass


def test_without_a_limit_every_opinion_is_asked() -> None:
    work = Work(1e6)
    assert [Unlimited().ask("toxicity", 0.0, work) for _ in range(3)] == [(1.0, True)] * 3


def test_what_was_saved_is_spent_and_then_the_share_of_time_that_goes_by() -> None:
    clock, work = FakeClock(), Work(0.01)
    second = limited(work, clock)
    spend(second, work)
    assert work.done == pytest.approx(SAVED_S / 0.01, abs=2)
    for _ in range(1000):
        clock.advance(0.1)
        for _ in range(20):
            second.ask("toxicity", 0.0, work)
    assert work.spent_s - SAVED_S == pytest.approx(0.25 * 100.0, rel=0.05)


def test_no_more_is_saved_than_a_burst_needs() -> None:
    clock, work = FakeClock(), Work(0.01)
    second = limited(work, clock)
    clock.advance(1e6)
    spend(second, work)
    assert work.spent_s == pytest.approx(SAVED_S, rel=0.01)


def test_the_mean_of_the_last_opinions_stands_in_by_metric() -> None:
    clock, work = FakeClock(), Work(SAVED_S / 100, said=1.5)
    second = limited(work, clock)
    spend(second, work)
    said, asked = second.ask("toxicity", -3.0, work)
    assert not asked
    assert sigmoid(said) == pytest.approx(sigmoid(1.5))
    assert second.ask("unsafe_request", -3.0, work) == (-3.0, False)
    assert second.stood_in == 3


def test_too_few_opinions_do_not_stand_in_for_others() -> None:
    clock, work = FakeClock(), Work(SAVED_S / (LEAST - 2))
    second = limited(work, clock)
    spend(second, work)
    assert second.ask("toxicity", -3.0, work) == (-3.0, False)


def test_an_opinion_that_fails_is_paid_for_and_tells_nothing() -> None:
    clock, work = FakeClock(), Work(0.0)
    second = limited(work, clock)

    def fail() -> float:
        work.spent_s += 2 * SAVED_S
        raise OSError("no encoder")

    with pytest.raises(OSError, match="no encoder"):
        second.ask("toxicity", 0.0, fail)
    assert second.ask("toxicity", -1.0, work) == (-1.0, False)


def test_a_clock_that_goes_back_gives_and_takes_nothing() -> None:
    now, work = [7200 * NS_PER_S], Work(SAVED_S)
    second = Limited(0.25, At(now), work.cpu)
    spend(second, work)
    now[0] = 3600 * NS_PER_S
    assert not second.ask("toxicity", 0.0, work)[1]
    now[0] += NS_PER_S
    assert second.ask("toxicity", 0.0, work)[1]


@pytest.mark.parametrize("share", [0.0, -1.0])
def test_a_share_of_nothing_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        Limited(share)


@pytest.mark.parametrize("said", [2.0, -4.0], ids=["notable", "harmless"])
@pytest.mark.parametrize(
    ("scorer", "metric"),
    [
        (lambda s: Attack(unsure=ALWAYS, second=s), "prompt_injection"),
        (lambda s: Grounding(unsure=ALWAYS, second=s), "ungrounded_answer"),
        (lambda s: Safety(ALWAYS, ALWAYS, ALWAYS, second=s), "unsafe_request"),
        (lambda s: Safety(ALWAYS, ALWAYS, ALWAYS, second=s), "toxicity"),
        (lambda s: Safety(ALWAYS, ALWAYS, ALWAYS, second=s), "unsafe_output"),
    ],
    ids=["attack", "grounding", "request", "toxicity", "output"],
)
def test_whose_second_opinion_was_not_asked_says_so(scorer: Callable[[SecondOpinions], Scorer], metric: str, said: float) -> None:
    clock, work = FakeClock(), Work(SAVED_S / 100, said=said)
    second = limited(work, clock)
    for name in ("prompt_injection", "ungrounded_answer", "unsafe_request", "toxicity", "unsafe_output"):
        for _ in range(LEAST - 1):
            second.ask(name, 0.0, work)
    second.ask(metric, 0.0, work)
    work.seconds = SAVED_S
    second.ask(metric, 0.0, work)
    told = scores(scorer(second), exchange(ABUSE, ABUSE, ANSWER))[metric]
    assert told.value == pytest.approx(sigmoid(said))
    assert STOOD_IN in told.why
