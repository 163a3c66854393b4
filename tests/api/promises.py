"""Objectives that stand in different ways."""

import math

import msgspec

from holdfast.api.context import ApiContext
from holdfast.core.signal import Segment, Verdict
from holdfast.detect.burn_rate import ObjectiveReport, WindowBurn
from holdfast.detect.objective import PAIRS, Budget, Objective

ANSWERS = Objective(name="answers", metric="error", share=0.98)
FAST = Objective(name="fast", metric="latency", share=0.9, bad_from=8_000.0, service="shop", where={"route": "/chat"})
BANKING = Objective(name="banking", metric="error", share=0.99, service="bank")


def report(
    objective: Objective, segment: Segment, burn: float, left: float, alarm: Verdict | None, last_ns: int
) -> ObjectiveReport:
    """One that burns so fast in every window."""
    return ObjectiveReport(
        objective=objective.name,
        segment=segment,
        last_ns=last_ns,
        windows=tuple(WindowBurn(pair, burn, burn) for pair in PAIRS),
        budget=Budget(left=left, known_days=1.5, days_to_go=left * objective.days / burn if burn else math.inf),
        alarm=alarm,
    )


def with_objectives(context: ApiContext, last_ns: int) -> ApiContext:
    """Three objectives: of one no call was counted yet, one burns in an application and is kept in the other."""
    context.progress.objectives = (
        report(ANSWERS, Segment("bank"), 0.0, 1.0, None, last_ns),
        report(ANSWERS, Segment("shop"), 20.0, 0.4, Verdict.FAILURE, last_ns),
        report(BANKING, Segment("bank"), 2.0, -0.25, Verdict.ANOMALY, last_ns),
    )
    return msgspec.structs.replace(context, objectives=(ANSWERS, FAST, BANKING))
