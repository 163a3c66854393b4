"""Scoring with late scores and calibrations is scoring like any other to the pipeline."""

from collections.abc import Iterator

import msgspec
import pytest

from holdfast.core.trace import Trace
from holdfast.detect.detection import Detection
from holdfast.late_scoring import LateScoring
from holdfast.score.beta_map import BetaMap
from holdfast.score.calibrator import Calibration, Calibrator
from holdfast.score.deferred import DeferredScoring
from holdfast.score.external.scorer import Answer
from holdfast.score.refusal import Refusal
from holdfast.score.registry import METRICS
from holdfast.scoring import ScoringHere
from tests.score.build import llm, trace
from tests.score.external.bring import JUDGED, Breaks, Says, Stuck, external


def calibration(metric: str = "refusal", scorer: str = "refusal", version: str = "") -> Calibration:
    return Calibration(
        application="support",
        metric=metric,
        scorer=scorer,
        version=version or Refusal().version,
        map=BetaMap(0.0, 0.0, 0.0),
        labels=80,
        brier_before=0.2,
        brier_after=0.1,
        learnt_ns=5,
        actor="user:ada",
    )


def late(*calibrations: Calibration, asks: object = None, patient: bool = True) -> LateScoring:
    deferred = DeferredScoring([external(asks)], {trace().trace_id: trace()}.get, patient)  # type: ignore[arg-type]
    return LateScoring(ScoringHere([Refusal()]), deferred, Calibrator(calibrations))


@pytest.fixture
def scoring() -> Iterator[LateScoring]:
    found = late()
    yield found
    found.close()


def test_late_scores_follow_those_of_the_trace(scoring: LateScoring) -> None:
    own, judged = scoring.begin([trace()]).result()
    assert [score.metric for score in own.scores] == ["refusal"]
    assert [score.metric for score in judged.scores] == ["judged_wrong"]
    assert judged.trace.root.parent_span_id == llm().span_id


def test_coverage_has_both_kinds(scoring: LateScoring) -> None:
    scoring.begin([trace()]).result()
    assert {name: counts.ran for name, counts in scoring.coverage.items() if counts.ran} == {"refusal": 1, "mine": 1}


def test_a_judge_that_fails_is_a_row_that_says_so() -> None:
    scoring = late(asks=Breaks())
    _, judged = scoring.begin([trace()]).result()
    assert [failure.scorer for failure in judged.failures] == ["mine"]
    assert scoring.coverage["mine"].failed == 1
    scoring.close()


def test_both_kinds_are_calibrated() -> None:
    scoring = late(calibration(), calibration("judged_wrong", "mine", "1"))
    own, judged = scoring.begin([trace()]).result()
    assert [score.value for score in (*own.scores, *judged.scores)] == [0.5, 0.5]
    assert all("+cal_" in score.version for score in (*own.scores, *judged.scores))
    scoring.close()


def test_nothing_waits_for_a_scorer_that_hangs() -> None:
    stuck = Stuck()
    scoring = late(asks=stuck, patient=False)
    pending = scoring.begin([trace()])
    assert pending.done()
    assert len(pending.result()) == 1
    stuck.go.set()
    scoring.close()


def test_a_snapshot_remembers_what_is_owed() -> None:
    stuck = Stuck()
    before = late(asks=stuck, patient=False)
    before.begin([trace()]).result()
    snapshot = before.snapshot()
    stuck.go.set()
    before.close()
    after = late()
    after.restore(snapshot)
    assert [one.trace.root.name for one in after.begin([]).result()] == ["mine"]
    after.close()


@pytest.mark.parametrize("snapshot", [b"", b"\xc1", msgspec.msgpack.encode({"inner": 5})])
def test_a_snapshot_that_is_none_is_refused(scoring: LateScoring, snapshot: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        scoring.restore(snapshot)


def watched(share_bad: float, first: int, count: int) -> list[Trace]:
    """Traces half a second apart, of which every so many has a bad answer."""
    step = round(1 / share_bad) if share_bad else count + first + 1
    found = []
    for number in range(first, first + count):
        answer = "this one is WRONG" if number % step == 0 else "this one is right"
        moved = llm(answer).start_ns + number * 500_000_000
        call = msgspec.structs.replace(
            llm(answer), trace_id=f"{number:032x}", parent_span_id="", start_ns=moved, end_ns=moved + 100_000_000
        )
        found.append(Trace(call.trace_id, (call,)))
    return found


def judge() -> Says:
    return Says(lambda texts: Answer(value=0.95 if "WRONG" in texts["answer"] else 0.02))


def test_a_failure_that_only_the_judge_sees_raises_a_signal_with_the_onset_of_the_calls() -> None:
    scoring = late(asks=judge())
    detection = Detection(METRICS | {JUDGED.name: JUDGED})
    signals = []
    healthy, sick = watched(0.02, 0, 1_500), watched(0.5, 1_500, 300)
    for start in range(0, 1_800, 100):
        signals += detection.observe(scoring.begin([*healthy, *sick][start : start + 100]).result())
    scoring.close()
    (first, *_) = [signal for signal in signals if getattr(signal, "metric", "") == "judged_wrong"]
    assert abs(first.onset_ns - sick[0].start_ns) < 120 * 10**9  # type: ignore[union-attr]


def test_a_new_calibration_is_learnt_anew_and_raises_no_alarm() -> None:
    doubtful = Says(lambda texts: Answer(value=0.3 if "WRONG" in texts["answer"] else 0.2))
    calibrator = Calibrator()
    scoring = LateScoring(ScoringHere([Refusal()]), DeferredScoring([external(doubtful)], patient=True), calibrator)
    detection = Detection(METRICS | {JUDGED.name: JUDGED})
    signals = []
    traces = watched(0.02, 0, 3_000)
    for start in range(0, 3_000, 100):
        if start == 1_500:
            calibrator.put(msgspec.structs.replace(calibration("judged_wrong", "mine", "1"), map=BetaMap(1.0, 1.0, 1.5)))
        signals += detection.observe(scoring.begin(traces[start : start + 100]).result())
    scoring.close()
    assert signals == []


def test_the_same_change_of_scores_without_a_new_version_would_raise_one() -> None:
    changed = False

    def answer(texts: object) -> Answer:
        return Answer(value=0.55 if changed else 0.2)

    scoring = late(asks=Says(answer))
    detection = Detection(METRICS | {JUDGED.name: JUDGED})
    signals = []
    traces = watched(0.0, 0, 3_000)
    for start in range(0, 3_000, 100):
        changed = start >= 1_500
        signals += detection.observe(scoring.begin(traces[start : start + 100]).result())
    scoring.close()
    assert signals
