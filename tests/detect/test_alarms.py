import numpy as np
import pytest

from holdfast.core.signal import Verdict
from holdfast.detect.alarms import baseline_value, clear, describe, raise_signal, rejudge
from holdfast.detect.evidence import MAX_ASKED, Asked, BadCall
from holdfast.detect.policy import DetectPolicy
from holdfast.detect.protocol import Ground
from holdfast.detect.streams import ALARMED, TIME, WATCHING
from holdfast.detect.watch import Watch
from tests.detect.simulation import METRICS, START_NS


def alarmed_stream(bad: float, calls: float = 100.0, metric: str = "ungrounded_answer") -> Watch:
    """A stream with a baseline of 4 % over 2,000 calls, and `bad` of `calls` since its CUSUM left zero."""
    ground = Ground(METRICS, DetectPolicy())
    ground.table.metric_index(metric)
    ground.index.profile({"service.name": ("shop",)})
    watch = Watch(ground)
    watch.place(np.zeros(1, np.int64), np.zeros(1, np.int64), np.array([START_NS]))
    s = watch.streams
    s.base[0] = [2000, 80, 80, 80]
    s.mode[0], s.threshold[0] = WATCHING, 1e6
    s.zero[0, :, :TIME] = [2000, 80, 80, 80]
    s.zero[0, :, TIME] = START_NS
    s.totals[0] = [2000 + calls, 80 + bad, 80 + bad, 80 + bad]
    s.last_ns[0] = START_NS + 10**11
    watch.refresh(np.array([0]))
    return watch


def test_a_signal_tells_what_was_and_what_is() -> None:
    watch = alarmed_stream(30)
    signal = raise_signal(watch, 0, 2e6, START_NS + 10**11)
    assert (signal.calls, signal.bad, signal.baseline, signal.observed) == (100, 30, 0.04, 0.3)
    assert signal.verdict is Verdict.FAILURE
    assert signal.log_evidence > signal.threshold
    assert watch.streams.mode[0] == ALARMED


def test_a_signal_tells_where_its_bad_calls_lie() -> None:
    watch = alarmed_stream(30)
    profile = watch.ground.index.profile({"service.name": ("shop",), "route": ("/a",), "tenant": ("acme",)})
    segments = watch.ground.index.profiles[profile]
    for at in range(12):
        seen = BadCall(START_NS + at, 1.0, f"t{at}", "s", "why", segments if at % 3 else segments[:1], f"u{at % 2}")
        watch.ground.evidence.found(0, 0, seen)
    spread = raise_signal(watch, 0, 2e6, START_NS + 10**11).spread
    assert spread is not None
    assert spread.calls == 12
    assert spread.beyond == pytest.approx(1 - 0.04 / 0.3)
    assert set(spread.within) == {("route", "/a", 8), ("tenant", "acme", 8), ("user", "u0", 6), ("user", "u1", 6)}


def test_a_signal_without_a_remembered_bad_call_says_nothing_of_where_they_lie() -> None:
    assert raise_signal(alarmed_stream(30), 0, 2e6, START_NS + 10**11).spread is None


def test_the_same_onset_gives_the_same_id() -> None:
    one, two = raise_signal(alarmed_stream(30), 0, 2e6, START_NS + 5), raise_signal(alarmed_stream(31), 0, 3e6, START_NS + 9)
    assert one.id == two.id


def test_a_small_effect_becomes_a_failure_when_it_grows() -> None:
    watch = alarmed_stream(6)
    assert raise_signal(watch, 0, 2e6, START_NS + 10**11).verdict is Verdict.ANOMALY
    assert rejudge(watch, 0) is None
    watch.streams.totals[0] += [100, 40, 40, 40]
    again = rejudge(watch, 0)
    assert again is not None
    assert again.verdict is Verdict.FAILURE
    assert rejudge(watch, 0) is None


def test_what_alarmed_on_too_few_calls_is_judged_again_as_soon_as_there_are_enough() -> None:
    watch = alarmed_stream(6, calls=6)
    assert raise_signal(watch, 0, 2e6, START_NS + 10**11).verdict is Verdict.NOISE
    watch.streams.totals[0] += [1, 1, 1, 1]
    assert rejudge(watch, 0) is None
    watch.streams.totals[0] += [2, 2, 2, 2]
    again = rejudge(watch, 0)
    assert again is not None
    assert (again.verdict, again.calls) == (Verdict.FAILURE, 9)


def test_the_recovery_test_stands_between_normal_and_what_was_seen() -> None:
    watch = alarmed_stream(30)
    raise_signal(watch, 0, 2e6, START_NS)
    assert 0.05 < watch.streams.middle[0] < 0.25


def test_a_recovered_stream_watches_with_the_baseline_that_it_had() -> None:
    watch = alarmed_stream(30)
    signal = raise_signal(watch, 0, 2e6, START_NS)
    cleared = clear(watch, 0, START_NS + 7)
    assert (cleared.signal_id, cleared.cleared_ns) == (signal.id, START_NS + 7)
    assert watch.streams.mode[0] == WATCHING
    assert baseline_value(watch, 0) == 0.04
    assert not watch.alarms


def test_a_call_without_a_reason_is_described_by_its_value() -> None:
    column = alarmed_stream(30).ground.table.columns[0]
    assert describe(column, 0.731) == "ungrounded_answer 0.731"


def test_an_alarm_over_a_baseline_of_few_calls_may_be_luck() -> None:
    watch = alarmed_stream(6)
    watch.streams.base[0] = [150, 1, 1, 1]
    signal = raise_signal(watch, 0, 2e6, START_NS + 10**11)
    assert signal.verdict is Verdict.ANOMALY
    assert "young" in signal.reason


def ask(watch: Watch, first: int, kinds: list[tuple[int, float, int]]) -> None:
    """Requests of the application from `first` ns on, one a nanosecond: (kind, share that is bad, how many)."""
    for kind, bad, count in kinds:
        for number in range(count):
            x = np.full(len(watch.ground.table.columns), float(number < round(bad * count)), np.float16)
            watch.ground.evidence.was_asked(0, Asked(first, kind, (0,), x.tobytes()))
            watch.ground.evidence.saw(0, [(first, (0,))])


EASY_AND_HARD = [(0, 0.0, 900), (1, 0.4, 100)]


def test_other_questions_than_before_are_no_failure() -> None:
    watch = alarmed_stream(30)
    ask(watch, START_NS - 9, EASY_AND_HARD)
    ask(watch, START_NS, [(0, 0.0, 25), (1, 0.4, 75)])
    signal = raise_signal(watch, 0, 2e6, START_NS + 10**11)
    assert signal.verdict is Verdict.ANOMALY
    assert "kinds of questions" in signal.reason


@pytest.mark.parametrize(
    ("before", "since"),
    [
        (EASY_AND_HARD, [(0, 0.3, 100)]),
        (EASY_AND_HARD, [(0, 0.0, 25), (2, 0.4, 75)]),
        ([(0, 0.0, 900), (1, 0.4, 5)], [(0, 0.0, 25), (1, 0.4, 75)]),
        ([(0, 0.3, 900), (1, 0.4, 100)], [(0, 0.3, 100)]),
        ([], [(1, 0.4, 100)]),
        (EASY_AND_HARD, [(1, 0.4, 10)]),
    ],
    ids=["worse within a kind", "a new kind", "a seldom kind", "sick before", "nothing from before", "too few since"],
)
def test_questions_excuse_nothing_else(before: list[tuple[int, float, int]], since: list[tuple[int, float, int]]) -> None:
    watch = alarmed_stream(30)
    ask(watch, START_NS - 9, before)
    ask(watch, START_NS, since)
    assert raise_signal(watch, 0, 2e6, START_NS + 10**11).verdict is Verdict.FAILURE


def test_what_was_usual_is_kept_while_a_shift_goes_on() -> None:
    watch = alarmed_stream(30)
    ask(watch, START_NS - 9, EASY_AND_HARD)
    ask(watch, START_NS, [(0, 0.0, 25), (1, 0.4, 75)])
    assert raise_signal(watch, 0, 2e6, START_NS + 10**11).verdict is Verdict.ANOMALY
    ask(watch, START_NS + 1, [(0, 0.0, MAX_ASKED // 4), (1, 0.4, MAX_ASKED - MAX_ASKED // 4)])
    watch.streams.totals[0] += [1000, 300, 300, 300]
    assert rejudge(watch, 0) is None


@pytest.mark.parametrize(
    ("badness", "verdict"),
    [([0.7312] * 12, Verdict.ANOMALY), ([0.7312, 0.8145, 0.9021], Verdict.FAILURE), ([1.0] * 3, Verdict.FAILURE)],
    ids=["one text, often", "three texts", "a rule, three times"],
)
def test_one_opinion_of_one_text_is_one_grave_failure_however_often_it_is_said(badness: list[float], verdict: Verdict) -> None:
    watch = alarmed_stream(30, metric="prompt_injection")
    for at, bad in enumerate(badness):
        watch.ground.evidence.found(0, 0, BadCall(START_NS + at, bad, f"t{at}", "s", "why", (0,), "u"))
    assert raise_signal(watch, 0, 2e6, START_NS + 10**11).verdict is verdict
