"""`DetectPolicy`: what may be spent on false alarms, how long a baseline must be learnt, and what counts as a failure."""

import msgspec

from holdfast.core.errors import ConfigurationError
from holdfast.detect.objective import Objective
from holdfast.detect.standard import StandardPolicy

VERSIONS = frozenset({"prompt.version", "index.version", "model"})
"""Dimensions whose values people deploy: a new value is a change, and must be as good as what was there before."""

JUDGED_AT_ONCE = VERSIONS | {"document.source", "tool"}
"""Dimensions whose new values are held to the baseline of their route, or of the application where they have several.

Values that were there from the start, and those of other dimensions, first learn their own."""


class DetectPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of detection. The defaults come from `bench/detect.py` and the measurements it prints.

    Args:
        false_alarms_per_day: budget A of the whole installation, divided over its streams.
        app_share, segment_share, change_share: how A is divided between streams of whole applications, streams of segments, and
            the extra attention after a change; they sum to 1.
        changes_per_day: changes a day that `change_share` is divided over at least.
        min_calls: calls after which an application's baseline may raise an alarm; min_segment_calls: same of a segment that
            learns its own; min_seldom_calls: same of a metric that few calls have, in an application of which
            `settled_calls` calls are known.
        quantile: of the baseline's posterior, above which the mean must be (0.5..1); it falls from
            `young_quantile` to it over the first `young_calls` calls. `unsettled_calls`: calls up to which a
            baseline also learns from calls that are a little suspicious. `segment_quantile` is that of segments, of which many
            compete for the lowest baseline by luck.
        memory_calls: calls that a baseline remembers, so that it follows slow drift.
        margins: metric → margin, overrides `Metric.margin`.
        floors: smallest absolute rise of a probability worth an alarm, by harm 0..3.
        rank_margin, tail_margin: margins of heavy-tailed metrics, for the mean rank and the share of extreme values; the latter
            also of the share of outliers of a score of which low values are bad, and outlier_floor its smallest absolute rise;
            sure_floor that of the share of calls that leave no doubt, of `user_metrics`.
        reference_calls: calls in the frozen reference that ranks refer to.
        chunk_traces: traces between two updates of baselines at first; later it is twice as many.
        clear_evidence: e-value that a recovery must reach, after at least `clear_calls` calls and `clear_s` seconds.
        max_streams: streams at most; max_values: values at most of a dimension of an application. What is over goes to `other`.
        idle_days: days of its application's event time after which a value that no call has any more (a retired version, a
            tenant or user that left) is forgotten, with its streams. Where there is no room for new ones, those that are idle
            longest go sooner, but none that was seen in the last `late_s` seconds. One that has alarmed stays until it clears.
        idle_application_days: days without any trace of an application, after which its streams and baselines are forgotten;
            should it come back, it is learnt anew. One that has alarmed stays until it clears.
        remembered_traces: traces whose scores are recognised when they come again.
        late_s: a call older than this behind its application's newest one no longer counts.
        user_metrics: metrics that are also watched per user.
        objectives: promises whose burn rate is watched. None by default: only an owner knows what was promised, and a promise
            that is guessed is either never kept or never broken.
    """

    false_alarms_per_day: float = 0.2
    app_share: float = 0.35
    segment_share: float = 0.35
    change_share: float = 0.3
    changes_per_day: int = 5
    min_calls: int = 200
    min_segment_calls: int = 60
    min_seldom_calls: int = 50
    settled_calls: int = 600
    quantile: float = 0.8
    young_quantile: float = 0.95
    young_calls: int = 2000
    unsettled_calls: int = 600
    segment_quantile: float = 0.95
    memory_calls: int = 5000
    margins: dict[str, float] = {}
    floors: tuple[float, float, float, float] = (0.02, 0.015, 0.006, 0.003)
    rank_margin: float = 1.15
    tail_margin: float = 2.0
    outlier_floor: float = 0.02
    sure_floor: float = 0.002
    reference_calls: int = 256
    chunk_traces: int = 128
    clear_evidence: float = 1000.0
    clear_calls: int = 30
    clear_s: float = 60.0
    max_streams: int = 20_000
    max_values: dict[str, int] = msgspec.field(default_factory=lambda: {"tenant": 50, "user": 200})
    idle_days: float = 7.0
    idle_application_days: float = 30.0
    remembered_traces: int = 10_000
    late_s: float = 3600.0
    user_metrics: frozenset[str] = frozenset(
        {"prompt_injection", "system_prompt_leak", "policy_violation", "sensitive_output", "toxicity"}
    )
    objectives: tuple[Objective, ...] = ()
    standard: StandardPolicy = StandardPolicy()

    def __post_init__(self) -> None:
        """Refuse settings that cannot work, and name them."""
        if self.false_alarms_per_day <= 0:
            raise ConfigurationError(
                "detect.false_alarms_per_day must be above 0: a detector without false alarms detects nothing"
            )
        if abs(self.app_share + self.segment_share + self.change_share - 1) > 1e-6:
            raise ConfigurationError("detect.app_share, segment_share and change_share must sum to 1")
        for key in ("idle_days", "idle_application_days"):
            if getattr(self, key) <= 0:
                raise ConfigurationError(f"detect.{key} must be above 0")
        names = [objective.name for objective in self.objectives]
        if len(set(names)) < len(names):
            raise ConfigurationError("objectives must have different names")
        for key in ("quantile", "young_quantile", "segment_quantile"):
            if not 0.5 <= getattr(self, key) < 1:
                raise ConfigurationError(f"detect.{key} must lie in [0.5, 1)")
        for key in ("min_calls", "reference_calls", "chunk_traces", "max_streams", "remembered_traces", "memory_calls"):
            if getattr(self, key) < 1:
                raise ConfigurationError(f"detect.{key} must be at least 1")

    def margin(self, name: str, default: float) -> float:
        """The margin of a metric: the policy's, else the metric's own; never below 1."""
        return max(self.margins.get(name, default), 1.0)
