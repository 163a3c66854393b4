"""Scores of a drill on disk, so that detection, correlation and diagnosis can be tried again without scoring again.

Numbers and dimensions only: of texts, explanations and places in texts nothing is kept. What an incident is comes out the same;
its exemplars say which call, not why.
"""

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from holdfast.core.call import Call, Dimensions, Kind
from holdfast.core.change import Change
from holdfast.core.errors import InputError, NotFoundError, StoreError
from holdfast.core.ids import derived_id
from holdfast.core.score import Failed, Score
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.drills.conventional import Sample
from holdfast.drills.outcome import Request
from holdfast.drills.scenario import Scenario
from holdfast.ingest.checkpoint import replace_file

FORMAT = 1
MAX_BYTES = 1 << 30
"""Of one file, unpacked: a drill of 100,000 requests."""

_Shape = list[tuple[str, str, str]]
"""Metric, scorer and its version of each score of a trace, in order."""


class _KeptCall(msgspec.Struct, frozen=True, array_like=True):
    span_id: str
    parent_span_id: str
    kind: Kind
    start_ns: int
    end_ns: int
    dimensions: int


class _KeptTrace(msgspec.Struct, frozen=True, array_like=True):
    """`spans` are those that scores are about, and `at` says of each score which one of them."""

    trace_id: str
    calls: list[_KeptCall]
    shape: int
    spans: list[str]
    at: list[int]
    values: list[float]
    failures: list[tuple[str, str, str]]


class _KeptPortion(msgspec.Struct, frozen=True, array_like=True):
    now_ns: int
    changes: list[Change]
    traces: list[_KeptTrace]


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A drill that was scored: its truth, and what went through the stages behind scoring, in their portions.

    `scorers` are those that told the scores, with their versions. `dimensions` and `shapes` are shared by calls and traces,
    which name them by number.
    """

    format: int
    scenario: Scenario
    scorers: dict[str, str]
    requests: list[Request]
    samples: list[Sample]
    dimensions: list[Dimensions]
    shapes: list[_Shape]
    portions: list[_KeptPortion]

    def scored(self) -> Iterator[tuple[int, list[Change], list[ScoredTrace]]]:
        """Time (ns), changes and scored traces of each portion, in order."""
        for portion in self.portions:
            yield portion.now_ns, portion.changes, [self._trace(trace) for trace in portion.traces]

    def _trace(self, kept: _KeptTrace) -> ScoredTrace:
        calls = tuple(
            Call(
                trace_id=kept.trace_id,
                span_id=call.span_id,
                parent_span_id=call.parent_span_id,
                kind=call.kind,
                start_ns=call.start_ns,
                end_ns=call.end_ns,
                dimensions=self.dimensions[call.dimensions],
            )
            for call in kept.calls
        )
        told = zip(self.shapes[kept.shape], kept.at, kept.values, strict=True)
        scores = tuple(
            Score(
                trace_id=kept.trace_id,
                span_id=kept.spans[at],
                metric=metric,
                value=value,
                scorer=scorer,
                version=version,
            )
            for (metric, scorer, version), at, value in told
        )
        failures = tuple(
            Failed(trace_id=kept.trace_id, span_id="", scorer=scorer, version=version, error_type=error, message="")
            for scorer, version, error in kept.failures
        )
        return ScoredTrace(Trace(kept.trace_id, calls), scores, failures)


class Keeper:
    """Gathers what goes through the stages behind scoring, and writes it. `scorers`: names and versions of all there are."""

    def __init__(self, scorers: Mapping[str, str]) -> None:
        self._scorers = dict(scorers)
        self._dimensions: dict[tuple[tuple[str, tuple[str, ...]], ...], int] = {}
        self._shapes: dict[tuple[tuple[str, str, str], ...], int] = {}
        self._portions: list[_KeptPortion] = []

    def note(self, now_ns: int, changes: Sequence[Change], scored: Sequence[ScoredTrace]) -> None:
        """Keep a portion."""
        self._portions.append(_KeptPortion(now_ns, list(changes), [self._kept(one) for one in scored]))

    def write(self, folder: Path, scenario: Scenario, requests: Sequence[Request], samples: Sequence[Sample]) -> Path:
        """Write everything, with the truth; returns the file.

        Raises:
            StoreError: the file could not be written.
        """
        kept = Kept(
            format=FORMAT,
            scenario=scenario,
            scorers=self._scorers,
            requests=list(requests),
            samples=list(samples),
            dimensions=[dict(items) for items in self._dimensions],
            shapes=[list(shape) for shape in self._shapes],
            portions=self._portions,
        )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror}") from error
        path = path_of(folder, scenario)
        replace_file(path, gzip.compress(msgspec.msgpack.encode(kept), compresslevel=3, mtime=0))
        return path

    def _kept(self, scored: ScoredTrace) -> _KeptTrace:
        shape = tuple((score.metric, score.scorer, score.version) for score in scored.scores)
        spans = {span: at for at, span in enumerate(dict.fromkeys(score.span_id for score in scored.scores))}
        return _KeptTrace(
            scored.trace.trace_id,
            [self._call(call) for call in scored.trace.calls],
            self._shapes.setdefault(shape, len(self._shapes)),
            list(spans),
            [spans[score.span_id] for score in scored.scores],
            [score.value for score in scored.scores],
            [(failed.scorer, failed.version, failed.error_type) for failed in scored.failures],
        )

    def _call(self, call: Call) -> _KeptCall:
        dimensions = self._dimensions.setdefault(tuple(call.dimensions.items()), len(self._dimensions))
        return _KeptCall(call.span_id, call.parent_span_id, call.kind, call.start_ns, call.end_ns, dimensions)


def path_of(folder: Path, scenario: Scenario) -> Path:
    """The file of a scenario: readable name, seed, and a hash of all its fields."""
    name = scenario.fault or scenario.decoy or "healthy"
    return folder / f"{derived_id(f'{name}-{scenario.seed}', msgspec.json.encode(scenario).decode())}.scores"


def read_kept(folder: Path, scenario: Scenario) -> Kept:
    """The scores of a scenario.

    Raises:
        NotFoundError: they were not kept there.
        InputError: the file is broken, too large, or of another format.
    """
    return _read(path_of(folder, scenario))


def scenario_of(path: Path) -> Scenario:
    """Which drill the scores in a file are of. Raises as `read_kept`."""
    return _read(path).scenario


def _read(path: Path) -> Kept:
    try:
        with gzip.open(path) as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise NotFoundError(f"{path}: no scores of this drill were kept there; run it with --keep-scores first") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"not a file of scores: {error}", str(path)) from error
    if len(data) > MAX_BYTES:
        raise InputError(f"more than {MAX_BYTES} bytes", str(path))
    try:
        kept = msgspec.msgpack.decode(data, type=Kept)
    except msgspec.MsgspecError as error:
        raise InputError(f"not a file of scores: {error}", str(path)) from error
    if kept.format != FORMAT:
        raise InputError(f"format {kept.format}, expected {FORMAT}: keep the scores again", str(path))
    return kept
