"""The scorers that the settings bring, and what people's labels taught of all of them."""

from collections.abc import Callable

import msgspec

from holdfast.core.clock import Clock
from holdfast.core.score import Metric
from holdfast.core.trace import Trace
from holdfast.late_scoring import LateScoring
from holdfast.score.calibrator import FILE_NAME, Calibrator, load
from holdfast.score.deferred import DeferredScoring
from holdfast.score.external.build import external_scorers, metrics_with
from holdfast.score.external.scorer import External
from holdfast.score.registry import METRICS
from holdfast.scoring import Scores
from holdfast.settings import Settings


class Scorers(msgspec.Struct, frozen=True, kw_only=True):
    """What is added to the scorers of Holdfast: made once a process, so that what a judge said is remembered.

    `metrics` are the definitions of all metrics, Holdfast's own included.
    """

    external: tuple[External, ...] = ()
    calibrator: Calibrator = msgspec.field(default_factory=Calibrator)
    metrics: dict[str, Metric] = msgspec.field(default_factory=lambda: METRICS)

    def close(self) -> None:
        """Lets go of connections and models: nothing more is asked."""
        for scorer in self.external:
            scorer.close()


def build_scorers(settings: Settings, clock: Clock) -> Scorers:
    """The scorers of ``[scorers.NAME]``, and the calibrations in `server.data_dir`.

    Raises:
        ConfigurationError: a scorer cannot be built; names the key.
        StoreError: the file of calibrations is broken.
    """
    external = external_scorers(settings.scorers, clock)
    return Scorers(
        external=external,
        calibrator=load(settings.server.data_dir / FILE_NAME),
        metrics=metrics_with(external),
    )


def extended(inner: Scores, scorers: Scorers, trace_of: Callable[[str], Trace | None], patient: bool = False) -> Scores:
    """Scoring with the user's scorers and calibrations.

    Args:
        trace_of: reads a stored trace, for what is owed after a restart.
        patient: late scores are waited for, as a replay wants it.
    """
    return LateScoring(inner, DeferredScoring(scorers.external, trace_of, patient), scorers.calibrator)
