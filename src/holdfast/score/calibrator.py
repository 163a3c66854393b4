"""`Calibrator`: applies to the scores of an application what its labels taught, and keeps that in a file."""

from collections.abc import Iterable
from pathlib import Path
from threading import Lock

import msgspec

from holdfast.core.errors import StoreError
from holdfast.core.ids import derived_id
from holdfast.core.score import Score
from holdfast.core.trace import ScoredTrace
from holdfast.score.beta_map import BetaMap

FILE_NAME = "calibrations.json"


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """A map in force for one metric of one application, as given by one version of one scorer.

    Another version of the scorer gives other scores: they pass unchanged until people's labels were learnt from again.
    """

    application: str
    metric: str
    scorer: str
    version: str
    map: BetaMap
    labels: int
    brier_before: float
    brier_after: float
    learnt_ns: int
    actor: str

    @property
    def id(self) -> str:
        """Depends on the map alone; it becomes part of the version of the scores, so that detection learns them anew."""
        return derived_id("cal", self.map.a, self.map.b, self.map.c)


class _File(msgspec.Struct, frozen=True):
    format: int
    calibrations: list[Calibration]


FORMAT = 1
_Maps = dict[str, dict[tuple[str, str, str], Calibration]]


class Calibrator:
    """The calibrations in force. Safe to use from several threads: what is in force is replaced as a whole."""

    def __init__(self, calibrations: Iterable[Calibration] = ()) -> None:
        self._lock = Lock()
        self._maps = _by_application(calibrations)

    @property
    def calibrations(self) -> list[Calibration]:
        """All that are in force, by application and metric."""
        return sorted((c for maps in self._maps.values() for c in maps.values()), key=lambda c: (c.application, c.metric))

    def apply(self, scored: ScoredTrace) -> ScoredTrace:
        """The same with calibrated values; the version of those scores names the calibration."""
        maps = self._maps.get(scored.trace.service)
        if maps is None:
            return scored
        return msgspec.structs.replace(scored, scores=tuple(_calibrated(score, maps) for score in scored.scores))

    def put(self, calibration: Calibration) -> None:
        """Puts one in force, in place of what its application and metric had."""
        with self._lock:
            kept = [c for c in self.calibrations if (c.application, c.metric) != (calibration.application, calibration.metric)]
            self._maps = _by_application([*kept, calibration])

    def drop(self, application: str, metric: str) -> bool:
        """Takes one out of force: scores are again what the scorer says. False where there was none."""
        with self._lock:
            kept = [c for c in self.calibrations if (c.application, c.metric) != (application, metric)]
            dropped = len(kept) < len(self.calibrations)
            self._maps = _by_application(kept)
        return dropped


def encoded(calibrator: Calibrator) -> bytes:
    """What `load` reads."""
    return msgspec.json.format(msgspec.json.encode(_File(FORMAT, calibrator.calibrations)))


def load(path: Path) -> Calibrator:
    """The calibrations in a file; none where there is no file.

    Raises:
        StoreError: the file is broken, or of another format. Scores would silently be others without it.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        return Calibrator()
    except (OSError, msgspec.DecodeError) as error:
        raise StoreError(f"{path}: no calibrations ({error}); remove it to use the scores as they are") from error
    if found.format != FORMAT:
        raise StoreError(f"{path}: format {found.format}, expected {FORMAT}; remove it to use the scores as they are")
    return Calibrator(found.calibrations)


def _by_application(calibrations: Iterable[Calibration]) -> _Maps:
    maps: _Maps = {}
    for one in calibrations:
        maps.setdefault(one.application, {})[one.metric, one.scorer, one.version] = one
    return maps


def _calibrated(score: Score, maps: dict[tuple[str, str, str], Calibration]) -> Score:
    found = maps.get((score.metric, score.scorer, score.version))
    if found is None:
        return score
    return msgspec.structs.replace(score, value=found.map.of(score.value), version=f"{score.version}+{found.id}")
