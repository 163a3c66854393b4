"""Drills that take no time: a program that prints what a drill would."""

import sys
from pathlib import Path

import msgspec

from holdfast.api.drill_runs import DrillRuns
from holdfast.core.clock import Clock
from holdfast.drills.outcome import Alarm, Named, Outcome
from holdfast.drills.scorecard import scorecard


def outcome(number: int) -> Outcome:
    """Of twenty drills nineteen find their fault, and most diagnoses are right."""
    named = Named(
        layer="prompt_engineering",
        confidence=0.5 + (number % 10) / 20,
        layer_rank=1 if number % 4 else 2,
        cause="grounding_rule_dropped",
        fault_rank=1,
        change_id="c1",
        cohort={"route": "/chat"},
        jaccard=0.9,
    )
    alarm = Alarm(
        title="Latency rose <b>",
        detected="2023-11-14T22:13:20.000Z",
        metric="latency",
        segment="shop",
        detector="sequential",
        baseline=1.0,
        observed=2.0,
        calls=100,
        cohort={},
        signals=1,
        before_onset=True,
    )
    return Outcome(
        drill="grounding_rule_dropped",
        application="support",
        seed=number,
        calls=2000,
        severity=0.5,
        ramp="step",
        rollout=1.0,
        delay_s=10.0,
        days=0.5,
        quiet_days=0.25,
        fault="grounding_rule_dropped",
        layer="prompt_engineering",
        harmed=400,
        change_id="c1",
        latest_change="c1",
        detected=number != 3,
        calls_to_detect=40,
        minutes_to_detect=12.0,
        bad_served=20,
        named=named if number != 3 else None,
        false_alarms=(alarm,) if number == 5 else (),
    )


CARD = msgspec.json.encode(scorecard([outcome(number) for number in range(20)], 0.2)).decode()
PRINTS = f"import sys; sys.stderr.write('working {{'); print({CARD!r})"
WAITS = "import sys; sys.stdin.close(); import threading; threading.Event().wait(60)"


def runs(folder: Path, clock: Clock, program: str = PRINTS, longest_s: float = 60.0) -> DrillRuns:
    """Runs of a Python program instead of drills."""
    return DrillRuns(folder / "drills", clock, (sys.executable, "-c", program), longest_s)
