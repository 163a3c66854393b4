"""Runs drills through the product: the same stages as the server and `analyze`, with event time as their clock."""

import heapq
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from holdfast.app.analysis import AnalysisInput, analyze
from holdfast.app.stages import build_stages
from holdfast.core.call import Call, EvaluationRecord, MetricPoint
from holdfast.core.change import Change
from holdfast.core.errors import ConfigurationError, InputError
from holdfast.core.incident import Incident
from holdfast.core.trace import ScoredTrace
from holdfast.diagnose.diagnoser import Diagnoser
from holdfast.drills.conventional import Sample, readings
from holdfast.drills.kept import Keeper, path_of, read_kept
from holdfast.drills.outcome import Drilled, Outcome, Request, judge
from holdfast.drills.scenario import Play, Scenario, TraceSteps, play, prepare
from holdfast.drills.static_thresholds import WindowMeans
from holdfast.drills.write import arrivals, write
from holdfast.ingest.record import Record
from holdfast.ledger.store import Ledger
from holdfast.pipeline import Pipeline, Portion, Stages
from holdfast.replay import replay
from holdfast.score.registry import METRICS, SCORERS
from holdfast.scoring import Scored
from holdfast.settings import Settings
from holdfast.testing.telemetry import MemoryTelemetry

Progress = Callable[[int, int], None]
"""Told (requests played, requests in all)."""

MOST_INCIDENTS = 1_000
VERSIONS = {scorer.name: scorer.version for scorer in SCORERS}


def drill(
    scenario: Scenario,
    settings: Settings,
    on_progress: Progress = lambda done, total: None,
    keep_scores: Path | None = None,
) -> Drilled:
    """Plays a scenario straight into the pipeline: without files, redaction and database, everything else as in `analyze`.

    Its scores are kept in the folder `keep_scores`, where one is given.

    Raises:
        NotFoundError, ConfigurationError: as `drills.scenario.prepare`.
        StoreError: the scores could not be written.
    """
    prepared, started = prepare(scenario), time.process_time()
    requests, bill, keeper = list[Request](), _Bill(), Keeper(VERSIONS)
    with TemporaryDirectory(prefix="holdfast-drill-") as folder, Ledger(f"sqlite:///{folder}/ledger.sqlite") as ledger:
        steps = _noted(play(prepared), requests, lambda: on_progress(len(requests), scenario.calls))
        stages = build_stages(settings, _Memory(), ledger)
        pipeline = Pipeline(stages, bill) if keep_scores is None else _Keeping(stages, bill, keeper)
        replay(pipeline, _records(prepared, steps))
        incidents = ledger.incidents(limit=MOST_INCIDENTS)
    if keep_scores is not None:
        keeper.write(keep_scores, scenario, requests, bill.samples)
    return _drilled(prepared, requests, incidents, bill, time.process_time() - started)


def drill_from_scores(scenario: Scenario, settings: Settings, folder: Path, diagnoser: Diagnoser | None = None) -> Drilled:
    """Takes the kept scores of a scenario through detection, correlation and diagnosis as they are now. No text, no scorers.

    Another `diagnoser` than the usual one may be given.

    Raises:
        NotFoundError, InputError: as `drills.kept.read_kept`.
        InputError: the scores were told by other versions of the scorers than there are now.
    """
    prepared, started = prepare(scenario), time.process_time()
    kept = read_kept(folder, scenario)
    other = sorted({name for name, _ in kept.scorers.items() ^ VERSIONS.items()})
    if other:
        raise InputError(f"scores of other versions of {', '.join(other)}: keep them again", str(path_of(folder, scenario)))
    with TemporaryDirectory(prefix="holdfast-drill-") as there, Ledger(f"sqlite:///{there}/ledger.sqlite") as ledger:
        stages, bill, now_ns = build_stages(settings, _Memory(), ledger), _Bill(), 0
        pipeline = Pipeline(msgspec.structs.replace(stages, diagnoser=diagnoser or stages.diagnoser), bill)
        for now_ns, changes, scored in kept.scored():
            pipeline.take(Portion(changes, frozenset(), Scored(scored), now_ns))
        pipeline.finish(now_ns)
        incidents = ledger.incidents(limit=MOST_INCIDENTS)
    return _drilled(prepared, kept.requests, incidents, bill, time.process_time() - started)


def drill_through_files(scenario: Scenario, settings: Settings, on_progress: Progress = lambda done, total: None) -> Drilled:
    """Writes a scenario to files and analyses them: what another program's telemetry would go through.

    Conventional monitoring and static thresholds are not compared here. Raises as `drill`.
    """
    prepared, started = prepare(scenario), time.process_time()
    requests = [_request(steps) for steps in play(prepared)]
    with TemporaryDirectory(prefix="holdfast-drill-") as folder:
        files = write(scenario, Path(folder))
        source = AnalysisInput([files.traces], files.changes, on_replayed=on_progress)
        incidents = analyze(source, settings).incidents
    return _drilled(prepared, requests, incidents, _Bill(), time.process_time() - started)


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How drills are run: straight, through files, or from the scores kept in a folder; and where scores are kept.

    Raises:
        ConfigurationError: two ways at once.
    """

    through_files: bool = False
    from_scores: Path | None = None
    keep_scores: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if sum((self.through_files, self.from_scores is not None, self.keep_scores is not None)) > 1:
            raise ConfigurationError("through-files, from-scores and keep-scores exclude each other")

    def run(self, scenario: Scenario, settings: Settings) -> Drilled:
        """A scenario run in this way."""
        if self.from_scores is not None:
            return drill_from_scores(scenario, settings, self.from_scores)
        if self.through_files:
            return drill_through_files(scenario, settings)
        return drill(scenario, settings, keep_scores=self.keep_scores)


STRAIGHT = Way()


def outcomes(scenario: Scenario, settings: Settings, way: Way = STRAIGHT) -> list[Outcome]:
    """A scenario run and judged."""
    return judge(way.run(scenario, settings))


def sweep(scenarios: Sequence[Scenario], settings: Settings, jobs: int = 1, way: Way = STRAIGHT) -> Iterator[list[Outcome]]:
    """Outcomes of each scenario, in their order, as soon as they are there; `jobs` processes at once."""
    if jobs <= 1:
        yield from (outcomes(scenario, settings, way) for scenario in scenarios)
        return
    apart = partial(_outcomes_apart, settings.model_dump(), way)
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(apart, scenarios)


def _outcomes_apart(settings: dict[str, Any], way: Way, scenario: Scenario) -> list[Outcome]:
    """For another process, to which settings travel as values: their class is made where they are loaded."""
    return outcomes(scenario, Settings(**settings), way)


class _Memory(MemoryTelemetry):
    """Telemetry of one drill. A drill has no infrastructure metrics, and no evaluations apart from their spans."""

    def append_metric_points(self, points: Sequence[MetricPoint]) -> None:
        """Nothing asks for them."""

    def append_evaluations(self, records: Sequence[EvaluationRecord]) -> None:
        """Nothing asks for them."""

    def call_of(self, record: EvaluationRecord) -> Call | None:
        """Never found."""
        return None


class _Keeping(Pipeline):
    """A pipeline that notes what goes through the stages behind scoring."""

    def __init__(self, stages: Stages, observer: Callable[[Sequence[ScoredTrace]], None], keeper: Keeper) -> None:
        super().__init__(stages, observer)
        self._keeper = keeper

    def take(self, portion: Portion) -> None:
        """Notes the portion first."""
        self._keeper.note(portion.now_ns, portion.changes, portion.scored.result())
        super().take(portion)


class _Bill:
    """What a metrics backend would have counted, from what was scored; and the scores over time."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.means = WindowMeans(METRICS)

    def __call__(self, scored: Sequence[ScoredTrace]) -> None:
        self.means.add(scored)
        for item in scored:
            said = {score.metric: score.value for score in item.scores}
            amounts = (said.get(name, 0.0) for name in ("latency", "error", "cost", "tokens"))
            self.samples.append(Sample(item.trace.end_ns, *amounts))


def _request(steps: TraceSteps) -> Request:
    root = steps.calls[0]
    return Request(root.trace_id, root.end_ns, root.dimensions, steps.struck)


def _noted(steps: Iterable[TraceSteps], requests: list[Request], tell: Callable[[], None]) -> Iterator[TraceSteps]:
    for step in steps:
        requests.append(_request(step))
        if len(requests) % 100 == 0:
            tell()
        yield step


def _records(prepared: Play, steps: Iterable[TraceSteps]) -> Iterator[tuple[int, Record]]:
    """Calls and changes in order of event time; a call that comes late keeps its place in the order of arrival."""
    calls = _never_back((call.end_ns, call) for call, _ in arrivals(prepared, steps))
    changes: list[tuple[int, Change]] = [(change.time_ns, change) for change in prepared.changes]
    return heapq.merge(calls, changes, key=lambda item: item[0])


def _never_back(calls: Iterable[tuple[int, Record]]) -> Iterator[tuple[int, Record]]:
    now_ns = 0
    for time_ns, record in calls:
        now_ns = max(now_ns, time_ns)
        yield now_ns, record


def _drilled(prepared: Play, requests: list[Request], incidents: Sequence[Incident], bill: _Bill, seconds: float) -> Drilled:
    start_ns, end_ns = prepared.scenario.start_ns, prepared.end_ns
    return Drilled(
        scenario=prepared.scenario,
        injections=prepared.injections,
        start_ns=start_ns,
        end_ns=end_ns,
        requests=requests,
        changes=prepared.changes,
        incidents=incidents,
        readings=readings(bill.samples, start_ns, end_ns),
        means=bill.means.means(),
        seconds=seconds,
    )
