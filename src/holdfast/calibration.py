"""Learning from people's labels: the labelled calls are scored again as they are kept, and a map is put in force if it helps."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
import numpy as np

from holdfast.core.call import Call, Kind
from holdfast.core.clock import Clock, to_iso
from holdfast.core.errors import InputError, NotFoundError
from holdfast.core.label import Label
from holdfast.core.score import Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.ingest.checkpoint import replace_file
from holdfast.score.calibrate import Learnt, learn
from holdfast.score.calibrator import Calibration, Calibrator, encoded
from holdfast.score.protocol import Remembering, Scorer
from holdfast.telemetry.store import TelemetryStore

AT_ONCE = 4
MAX_LABELS = 20_000


def check_metric(metrics: Mapping[str, Metric], name: str) -> None:
    """Refuses labels for what is no probability of a failure.

    Raises:
        InputError: there is no such metric.
    """
    if name not in metrics or metrics[name].unit is not Unit.PROBABILITY:
        raise InputError(f"no metric {name!r} that is a probability", "metric")


def judged_call(telemetry: TelemetryStore, trace_id: str, span_id: str = "") -> Call:
    """The call that a label is about: the one named, else the one that answers the user. A late score stands for its subject.

    Raises:
        NotFoundError: it is not kept.
    """
    trace = telemetry.trace(trace_id)
    if trace is None:
        raise NotFoundError(f"no trace {trace_id}")
    calls = {call.span_id: call for call in trace.calls}
    found = calls.get(span_id) if span_id else trace.answering or trace.root
    if found is not None and found.kind is Kind.EVALUATION:
        found = calls.get(found.parent_span_id, found)
    if found is None:
        raise NotFoundError(f"no call {trace_id}/{span_id}")
    return found


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """What came of learning one metric of one application.

    Args:
        refused: why nothing was put in force; empty where `calibration` now is.
        gone: labelled calls that are no longer kept. unscored: those of which the scorer says nothing now.
    """

    application: str
    metric: str
    refused: str = ""
    learnt: Learnt | None = None
    calibration: Calibration | None = None
    gone: int = 0
    unscored: int = 0


class Calibrations:
    """Learns calibrations, keeps them in a file, and puts them in force at once.

    A label is about a call, not about a number: each labelled call is scored anew, uncalibrated and by the scorers of today. So
    labels outlive both an earlier calibration and a new version of a scorer.

    Args:
        scorers: all that give metrics. path: the file that `holdfast.score.calibrator.load` reads.
    """

    def __init__(
        self, telemetry: TelemetryStore, scorers: Sequence[Scorer], calibrator: Calibrator, path: Path, clock: Clock
    ) -> None:
        self._telemetry, self._calibrator, self._path, self._clock = telemetry, calibrator, path, clock
        self._scorers: dict[str, tuple[Scorer, Metric]] = {m.name: (s, m) for s in scorers for m in s.metrics}
        self._learning = Lock()

    @property
    def in_force(self) -> list[Calibration]:
        """By application and metric."""
        return self._calibrator.calibrations

    def learn(self, application: str, metric: str, actor: str) -> list[Lesson]:
        """Learns one metric, or with an empty `metric` all that have labels, and puts in force what helps.

        Raises:
            NotFoundError: the application has no labels, or none for this metric.
            StoreError: the labels cannot be read, or the file not written; nothing changed then.
        """
        with self._learning:
            labels = self._telemetry.labels(application, metric, limit=MAX_LABELS)
            if not labels:
                raise NotFoundError(f"{application} has no labels" + (f" for {metric}" if metric else ""))
            names = sorted({label.metric for label in labels})
            return [self._learn(application, name, [label for label in labels if label.metric == name], actor) for name in names]

    def forget(self, application: str, metric: str) -> None:
        """Takes a calibration out of force.

        Raises:
            NotFoundError: there is none.
        """
        with self._learning:
            if not self._calibrator.drop(application, metric):
                raise NotFoundError(f"{metric} of {application} is not calibrated")
            replace_file(self._path, encoded(self._calibrator))

    def _learn(self, application: str, metric: str, labels: list[Label], actor: str) -> Lesson:
        lesson = Lesson(application=application, metric=metric)
        scorer, definition = self._scorers.get(metric, (None, None))
        if scorer is None or definition is None:
            return msgspec.structs.replace(lesson, refused="no scorer gives this metric")
        if definition.unit is not Unit.PROBABILITY:
            return msgspec.structs.replace(lesson, refused=f"it is no probability but a number in {definition.unit}")
        if isinstance(scorer, Remembering):
            return msgspec.structs.replace(lesson, refused="its scorer compares calls with earlier ones: one alone has no score")
        traces = {trace_id: self._telemetry.trace(trace_id) for trace_id in {label.trace_id for label in labels}}
        kept = [label for label in labels if traces[label.trace_id] is not None]
        said = self._scored(scorer, metric, [trace for trace in traces.values() if trace is not None])
        pairs = [(label, score) for label in kept if (score := _about(label, said.get(label.trace_id, []))) is not None]
        lesson = msgspec.structs.replace(lesson, gone=len(labels) - len(kept), unscored=len(kept) - len(pairs))
        learnt = learn(
            np.array([score.value for _, score in pairs], np.float64),
            np.array([label.failed for label, _ in pairs], np.bool_),
            [label.trace_id for label, _ in pairs],
        )
        if learnt.refused:
            return msgspec.structs.replace(lesson, refused=learnt.refused, learnt=learnt)
        return msgspec.structs.replace(lesson, learnt=learnt, calibration=self._put(lesson, scorer, learnt, actor))

    def _scored(self, scorer: Scorer, metric: str, traces: list[Trace]) -> dict[str, list[Score]]:
        """The uncalibrated scores by trace, several at a time, since a scorer may wait for a network."""

        def scores(trace: Trace) -> list[Score]:
            try:
                return [score for score in scorer.score(trace) if score.metric == metric]
            except Exception:  # noqa: BLE001 - the runner's edge: what fails has no score, and is counted as such
                return []

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return {trace.trace_id: found for trace, found in zip(traces, pool.map(scores, traces), strict=True)}

    def _put(self, lesson: Lesson, scorer: Scorer, learnt: Learnt, actor: str) -> Calibration:
        calibration = Calibration(
            application=lesson.application,
            metric=lesson.metric,
            scorer=scorer.name,
            version=scorer.version,
            map=learnt.map,
            labels=learnt.labels,
            brier_before=learnt.brier_before,
            brier_after=learnt.brier_after,
            learnt_ns=self._clock.now_ns(),
            actor=actor,
        )
        after = Calibrator([*self.in_force])
        after.put(calibration)
        replace_file(self._path, encoded(after))
        self._calibrator.put(calibration)
        return calibration


def _about(label: Label, scores: list[Score]) -> Score | None:
    """The score that the label is about: that of its call, else the only one of the trace."""
    same = [score for score in scores if score.span_id == label.span_id]
    return same[-1] if same else scores[0] if len(scores) == 1 else None


def calibration_document(calibration: Calibration) -> dict[str, Any]:
    """A calibration as JSON values."""
    plain: dict[str, Any] = {"id": calibration.id, **msgspec.to_builtins(calibration)}
    plain["learnt"] = to_iso(plain.pop("learnt_ns"))
    return plain


def lesson_document(lesson: Lesson) -> dict[str, Any]:
    """What was learnt as JSON values."""
    plain: dict[str, Any] = msgspec.to_builtins(lesson)
    plain["calibration"] = calibration_document(lesson.calibration) if lesson.calibration else None
    return plain
