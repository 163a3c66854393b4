"""Answers to probes before a judge: its word or the reason why there is none, never a pass by default."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.context.redact import RedactionPolicy, Redactor
from holdfast.control.probes import ProbeAnswer, ProbeVerdict
from holdfast.core.errors import BackpressureError, InputError, NotFoundError, StoreError, UnavailableError
from holdfast.probe_judging import MAX_WAITING, PATIENCE_S, ProbeJudging, Tell
from holdfast.score.beta_map import BetaMap
from holdfast.score.calibrator import Calibration, Calibrator
from holdfast.score.external.scorer import External
from holdfast.score.external.selection import Texts
from holdfast.testing.clock import FakeClock
from tests.probes import WAIT_S, Person, call, judge

REDACTOR = Redactor(RedactionPolicy(), b"0123456789abcdef")


class Heard:
    """Takes verdicts, and waits for them."""

    def __init__(self) -> None:
        self.verdicts: list[ProbeVerdict] = []
        self._came = threading.Semaphore(0)

    def __call__(self, verdict: ProbeVerdict) -> None:
        self.verdicts.append(verdict)
        self._came.release()

    def next(self) -> ProbeVerdict:
        assert self._came.acquire(timeout=WAIT_S)
        return self.verdicts[-1]


def probe(clock: FakeClock, data: bytes | None = None, name: str = "person") -> ProbeAnswer:
    return ProbeAnswer(
        lease_id="lse_1",
        target="large",
        judge=name,
        trace_id="ab" * 16,
        call=call() if data is None else data,
        time_ns=clock.now_ns(),
    )


class Court:
    """One judging with what it is made of."""

    def __init__(self, *judges: External, calibrator: Calibrator | None = None) -> None:
        self.clock = FakeClock()
        self.judging = ProbeJudging(judges, calibrator or Calibrator(), REDACTOR, self.clock)
        self.heard = Heard()

    def ask(self, data: bytes | None = None, name: str = "person", tell: Tell | None = None) -> int:
        return self.judging.ask(probe(self.clock, data, name), tell or self.heard)

    def verdict(self, data: bytes | None = None) -> ProbeVerdict:
        self.ask(data)
        return self.heard.next()


@pytest.fixture
def opened() -> Iterator[Callable[..., Court]]:
    courts: list[Court] = []

    def new(*judges: External, **more: Any) -> Court:
        courts.append(Court(*judges, **more))
        return courts[-1]

    yield new
    for court in courts:
        court.judging.close()


def raising(error: Exception) -> Callable[[Texts], float]:
    def says(texts: Texts) -> float:
        raise error

    return says


Opened = Callable[..., Court]


def test_an_answer_below_one_half_is_good_and_its_judge_says_why(opened: Opened) -> None:
    person = Person(lambda texts: 0.9 if "fool" in texts["answer"] else 0.1)
    court = opened(judge(person))
    bad, good = court.verdict(), court.verdict(call("It comes tomorrow."))
    assert (bad.good, bad.reason) == (False, "rude 0.90: so it seems")
    assert (good.good, good.judge, good.lease_id, good.target, good.trace_id) == (True, "person", "lse_1", "large", "ab" * 16)
    assert list(person.shown[0].values()) == ["Where is my parcel?", "You fool."]


def test_what_labels_taught_holds_for_probes_too(opened: Opened) -> None:
    lenient = Calibration(
        application="shop",
        metric="rude",
        scorer="person",
        version="1",
        map=BetaMap(1.0, 1.0, -5.0),
        labels=50,
        brier_before=0.3,
        brier_after=0.1,
        learnt_ns=0,
        actor="user:ada",
    )
    court = opened(judge(Person(lambda texts: 0.9)), calibrator=Calibrator([lenient]))
    assert court.verdict().good is True
    assert court.verdict(call(service="bank")).good is False


def test_the_sample_of_a_judge_is_for_traffic_and_probes_are_always_judged(opened: Opened) -> None:
    assert opened(judge(Person(lambda texts: 0.0), share=1e-12)).verdict().good is True


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("no answer within 20 s"),
        BackpressureError("$1.0000 spent in this hour: usd_per_hour allows no more", retry_after_s=60),
        UnavailableError("the answer 7 is no probability"),
        ValueError("a judge that breaks"),
    ],
    ids=["timeout", "budget", "nonsense", "broken"],
)
def test_a_judge_that_cannot_say_leaves_the_probe_unjudged_and_tells_why(opened: Opened, error: Exception) -> None:
    verdict = opened(judge(Person(raising(error)))).verdict()
    assert verdict.good is None
    assert str(error) in verdict.reason


def test_an_empty_answer_is_not_judged_good(opened: Opened) -> None:
    verdict = opened(judge(Person(lambda texts: 0.0))).verdict(call(answer=" "))
    assert (verdict.good, verdict.reason) == (None, "the call lacks a text that the judge reads")


def test_after_a_judge_broke_it_is_asked_again(opened: Opened) -> None:
    person = Person(lambda texts: 1 / (len(texts["answer"]) - 1))
    court = opened(judge(person))
    assert court.verdict(call("x")).good is None
    assert court.verdict(call("a long and kind answer")).good is True


def test_a_judge_that_nobody_configured_is_named(opened: Opened) -> None:
    with pytest.raises(NotFoundError, match="named nobody"):
        opened(judge(Person(lambda texts: 0.0))).ask(name="nobody")


def test_a_judge_is_shown_no_application_that_it_is_not_configured_for(opened: Opened) -> None:
    person = Person(lambda texts: 0.0)
    court = opened(judge(person, applications=frozenset({"shop"})))
    with pytest.raises(InputError, match="bank"):
        court.ask(call(service="bank"))
    assert court.verdict().good is True
    assert len(person.shown) == 1


def test_personal_data_that_a_gateway_let_through_is_redacted_before_the_judge_sees_it(opened: Opened) -> None:
    person = Person(lambda texts: 0.0)
    opened(judge(person)).verdict(call("Write to ada.lovelace@example.com."))
    assert "ada.lovelace" not in person.shown[0]["answer"]


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"{}", b'{"resourceSpans":7}', b"[" * 5_000, b'{"resourceSpans":[{"scopeSpans":[{"spans":[{}]}]}]}'],
    ids=["empty", "cut", "list", "nothing", "number", "deep", "no-ids"],
)
def test_what_is_no_call_is_refused_before_a_judge_is_paid(opened: Opened, data: bytes) -> None:
    person = Person(lambda texts: 0.0)
    with pytest.raises(InputError):
        opened(judge(person)).ask(data)
    assert person.shown == []


def test_the_same_answer_is_judged_once(opened: Opened) -> None:
    court = opened(judge(Person(lambda texts: 0.0)))
    court.verdict()
    court.ask()
    court.verdict(call("another"))
    assert len(court.heard.verdicts) == 2


def test_as_many_wait_as_there_is_room_for_and_others_come_again(opened: Opened) -> None:
    person = Person(lambda texts: 0.0)
    person.free.clear()
    court = opened(judge(person))
    court.ask(call("the first"))
    assert person.busy.wait(WAIT_S)
    assert [court.ask(call(f"answer {n}")) for n in range(MAX_WAITING)] == list(range(1, MAX_WAITING + 1))
    with pytest.raises(BackpressureError):
        court.ask(call("one more"))
    person.free.set()
    for _ in range(MAX_WAITING + 1):
        court.heard.next()
    assert court.verdict(call("one more")).good is True


def test_a_judge_that_hangs_holds_up_no_other(opened: Opened) -> None:
    hanging = Person(lambda texts: 0.0)
    hanging.free.clear()
    court = opened(judge(hanging), judge(Person(lambda texts: 0.0), "other"))
    court.ask()
    court.ask(name="other")
    assert court.heard.next().judge == "other"
    hanging.free.set()


def test_an_answer_that_waited_too_long_is_old_news(opened: Opened) -> None:
    person = Person(lambda texts: 0.0)
    person.free.clear()
    court = opened(judge(person))
    court.ask(call("the first"))
    assert person.busy.wait(WAIT_S)
    court.ask(call("the second"))
    court.clock.advance(PATIENCE_S + 1)
    person.free.set()
    first, second = court.heard.next(), court.heard.next()
    assert {first.good, second.good, *(v.good for v in court.heard.verdicts)} == {True, None}
    assert len(person.shown) == 1


def test_a_plane_that_cannot_take_a_verdict_does_not_end_the_judging(opened: Opened) -> None:
    def lost(verdict: ProbeVerdict) -> None:
        raise StoreError("no disk")

    court = opened(judge(Person(lambda texts: 0.0)))
    court.ask(call("the first"), tell=lost)
    assert court.verdict().good is True


def test_when_it_is_closed_nothing_more_is_taken_or_told(opened: Opened) -> None:
    person = Person(lambda texts: 0.0)
    court = opened(judge(person))
    court.verdict()
    court.judging.close()
    with pytest.raises(BackpressureError):
        court.ask(call("late"))
    assert len(court.heard.verdicts) == 1


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_whatever_an_answer_says_it_stays_text_for_the_judge(text: str) -> None:
    court = Court(judge(Person(lambda texts: 0.0)))
    try:
        assert court.verdict(call(text.encode("utf-8", "replace").decode())).good in (True, None)
    finally:
        court.judging.close()
