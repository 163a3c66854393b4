"""People's labels are about calls: the calls are scored again, and what helps is put in force."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from holdfast.calibration import Calibrations, check_metric, judged_call
from holdfast.core.errors import InputError, NotFoundError
from holdfast.core.label import Label
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.score.calibrator import FILE_NAME, Calibrator, load
from holdfast.score.deferred import late
from holdfast.score.external.scorer import Answer
from holdfast.score.registry import METRICS, SCORERS
from holdfast.telemetry.store import TelemetryStore
from holdfast.testing.clock import FakeClock
from tests.score.build import llm
from tests.score.external.bring import JUDGED, Breaks, Says, external

SURE = Says(lambda texts: Answer(value=0.97 if "suspicious" in texts["answer"] else 0.05))
"""Says 0.97 where half of the people agree."""


def conversation(number: int, answer: str) -> Trace:
    trace_id = f"{number:032x}"
    return Trace(trace_id, (msgspec.structs.replace(llm(answer), trace_id=trace_id, parent_span_id=""),))


def label(number: int, failed: bool, metric: str = "judged_wrong") -> Label:
    return Label(
        trace_id=f"{number:032x}",
        span_id=llm().span_id,
        metric=metric,
        failed=failed,
        actor="user:ada",
        time_ns=number,
        service="support",
    )


@pytest.fixture
def telemetry(tmp_path: Path) -> Iterator[TelemetryStore]:
    with TelemetryStore(f"chdb://{tmp_path}/telemetry") as store:
        traces = [conversation(n, "a suspicious answer" if n % 2 else "a plain answer") for n in range(1, 161)]
        store.append([ScoredTrace(trace, ()) for trace in traces])
        yield store


@pytest.fixture
def calibrator() -> Calibrator:
    return Calibrator()


@pytest.fixture
def calibrations(telemetry: TelemetryStore, calibrator: Calibrator, tmp_path: Path) -> Calibrations:
    return Calibrations(telemetry, (*SCORERS, external(SURE)), calibrator, tmp_path / FILE_NAME, FakeClock())


def half_of_the_suspicious_ones(count: int = 160) -> list[Label]:
    return [label(n, failed=n % 4 == 1) for n in range(1, count + 1)]


def test_what_helps_is_in_force_at_once_and_after_a_restart(
    telemetry: TelemetryStore, calibrations: Calibrations, calibrator: Calibrator, tmp_path: Path
) -> None:
    telemetry.append_labels(half_of_the_suspicious_ones())
    (lesson,) = calibrations.learn("support", "judged_wrong", "user:ada")
    assert lesson.refused == ""
    (found,) = calibrator.calibrations
    assert found == lesson.calibration
    assert (found.scorer, found.version, found.labels, found.actor) == ("mine", "1", 160, "user:ada")
    assert 0.4 < found.map.of(0.97) < 0.6
    assert load(tmp_path / FILE_NAME).calibrations == [found]


def test_learning_again_starts_from_the_scorer_and_not_from_the_last_calibration(
    telemetry: TelemetryStore, calibrations: Calibrations
) -> None:
    telemetry.append_labels(half_of_the_suspicious_ones())
    first, second = (calibrations.learn("support", "judged_wrong", "user:ada")[0].calibration for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.map == second.map


def test_the_last_word_on_a_call_is_what_is_learnt_from(telemetry: TelemetryStore, calibrations: Calibrations) -> None:
    wrong = [msgspec.structs.replace(one, failed=not one.failed, time_ns=0) for one in half_of_the_suspicious_ones()]
    telemetry.append_labels(wrong + half_of_the_suspicious_ones())
    (lesson,) = calibrations.learn("support", "judged_wrong", "user:ada")
    assert lesson.learnt is not None
    assert (lesson.learnt.labels, lesson.learnt.failed) == (160, 40)


def test_too_few_labels_put_nothing_in_force_and_write_nothing(
    telemetry: TelemetryStore, calibrations: Calibrations, tmp_path: Path
) -> None:
    telemetry.append_labels(half_of_the_suspicious_ones(20))
    (lesson,) = calibrations.learn("support", "judged_wrong", "user:ada")
    assert "20 labels" in lesson.refused
    assert lesson.calibration is None
    assert calibrations.in_force == []
    assert not (tmp_path / FILE_NAME).exists()


def test_labels_of_calls_that_are_gone_are_counted_and_not_guessed(telemetry: TelemetryStore, calibrations: Calibrations) -> None:
    telemetry.append_labels([label(n, failed=True) for n in range(1_000, 1_030)])
    (lesson,) = calibrations.learn("support", "judged_wrong", "user:ada")
    assert (lesson.gone, lesson.calibration) == (30, None)


def test_calls_that_the_scorer_cannot_score_are_counted_and_not_guessed(
    telemetry: TelemetryStore, calibrator: Calibrator, tmp_path: Path
) -> None:
    telemetry.append_labels(half_of_the_suspicious_ones())
    broken = Calibrations(telemetry, (external(Breaks()),), calibrator, tmp_path / FILE_NAME, FakeClock())
    (lesson,) = broken.learn("support", "judged_wrong", "user:ada")
    assert (lesson.unscored, lesson.calibration) == (160, None)


@pytest.mark.parametrize(
    ("metric", "why"),
    [("nonsense", "no scorer gives"), ("latency", "no probability"), ("output_drift", "compares calls with earlier ones")],
)
def test_what_cannot_be_calibrated_is_refused_with_the_reason(
    telemetry: TelemetryStore, calibrations: Calibrations, metric: str, why: str
) -> None:
    telemetry.append_labels([label(1, failed=True, metric=metric)])
    (lesson,) = calibrations.learn("support", metric, "user:ada")
    assert why in lesson.refused


def test_without_a_metric_all_that_have_labels_are_learnt(telemetry: TelemetryStore, calibrations: Calibrations) -> None:
    telemetry.append_labels([*half_of_the_suspicious_ones(), label(1, failed=True, metric="refusal")])
    lessons = calibrations.learn("support", "", "user:ada")
    assert [(lesson.metric, lesson.refused == "") for lesson in lessons] == [("judged_wrong", True), ("refusal", False)]


@pytest.mark.parametrize(("application", "metric"), [("bank", ""), ("support", "toxicity")])
def test_without_labels_there_is_nothing_to_learn(calibrations: Calibrations, application: str, metric: str) -> None:
    with pytest.raises(NotFoundError, match="has no labels"):
        calibrations.learn(application, metric, "user:ada")


def test_a_calibration_can_be_taken_out_of_force(telemetry: TelemetryStore, calibrations: Calibrations, tmp_path: Path) -> None:
    telemetry.append_labels(half_of_the_suspicious_ones())
    calibrations.learn("support", "judged_wrong", "user:ada")
    calibrations.forget("support", "judged_wrong")
    assert calibrations.in_force == load(tmp_path / FILE_NAME).calibrations == []
    with pytest.raises(NotFoundError, match="is not calibrated"):
        calibrations.forget("support", "judged_wrong")


def test_a_label_without_a_span_is_about_the_call_that_answers(telemetry: TelemetryStore) -> None:
    assert judged_call(telemetry, f"{1:032x}").span_id == llm().span_id


def test_a_label_on_a_late_score_is_about_the_call_that_it_judges(telemetry: TelemetryStore) -> None:
    carrier = late(external(), conversation(1, "a suspicious answer"), ())
    telemetry.append([carrier])
    assert judged_call(telemetry, f"{1:032x}", carrier.trace.root.span_id).span_id == llm().span_id


@pytest.mark.parametrize(("trace_id", "span_id"), [(f"{999:032x}", ""), (f"{1:032x}", "f" * 16)])
def test_a_label_on_nothing_is_refused(telemetry: TelemetryStore, trace_id: str, span_id: str) -> None:
    with pytest.raises(NotFoundError):
        judged_call(telemetry, trace_id, span_id)


@pytest.mark.parametrize("name", ["nonsense", "latency", ""])
def test_only_probabilities_take_labels(name: str) -> None:
    check_metric(METRICS | {JUDGED.name: JUDGED}, "judged_wrong")
    with pytest.raises(InputError, match="no metric"):
        check_metric(METRICS, name)
