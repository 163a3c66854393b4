"""`guardrail_block` and `guardrail_error`: what the application's own guardrails said, and whether they worked."""

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.core.call import Kind, Status
from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import score_of

GUARDRAIL_BLOCK = Metric(
    name="guardrail_block",
    family=Family.SAFETY,
    unit=Unit.PROBABILITY,
    direction=Direction.BOTH,
    failure_mode="blocking_change",
    description="1 when a guardrail of the application denied the request or answer, 0.5 when it modified it, else 0.",
    harm=2,
)
GUARDRAIL_ERROR = Metric(
    name="guardrail_error",
    family=Family.SAFETY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="guardrail_failure",
    description="1 when a guardrail could not do its work, else 0.",
    harm=3,
)
BLOCKS = {"deny": 1.0, "block": 1.0, "blocked": 1.0, "reject": 1.0, "escalate": 0.5, "modify": 0.5, "redact": 0.5}
MAX_VERDICTS = 200


@dataclass(frozen=True)
class Guardrails:
    """Reads guardrail verdicts on all calls, and the status of guardrail spans."""

    name: str = "guardrails"
    version: str = "1"
    metrics: tuple[Metric, ...] = (GUARDRAIL_BLOCK, GUARDRAIL_ERROR)

    def score(self, trace: Trace) -> Iterable[Score]:
        """Both metrics once per trace that ran a guardrail, on the call with the worst verdict."""
        verdicts = [(call, verdict) for call in trace.calls if call.guardrails for verdict in call.guardrails][:MAX_VERDICTS]
        spans = trace.of_kind(Kind.GUARDRAIL)
        if not verdicts and not spans:
            return ()
        scores = []
        if verdicts:
            call, worst = max(verdicts, key=lambda v: BLOCKS.get(v[1].verdict.lower(), 0.0))
            blocked = BLOCKS.get(worst.verdict.lower(), 0.0)
            scores.append(
                score_of(self, call, GUARDRAIL_BLOCK, blocked, f"{worst.name[:80]}: {worst.verdict[:40]}" if blocked else "")
            )
        broken = [(c, v.name) for c, v in verdicts if v.verdict.lower() == "error"] + [
            (c, c.name) for c in spans if c.status is Status.ERROR
        ]
        if broken:
            scores.append(score_of(self, broken[0][0], GUARDRAIL_ERROR, 1.0, f"{broken[0][1][:80]} failed"))
        else:
            scores.append(score_of(self, spans[0] if spans else verdicts[0][0], GUARDRAIL_ERROR, 0.0))
        return scores
