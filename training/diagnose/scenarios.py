"""Which drills to fit on and which ones only to report on."""

import numpy as np

from holdfast.drills.decoys.registry import DECOYS
from holdfast.drills.faults.registry import FAULTS
from holdfast.drills.scenario import Scenario

REPORT_ONLY = (
    "partial_index",
    "duplicate_flood",
    "out_of_scope_demand",
    "few_shot_contamination",
    "context_truncated",
    "system_prompt_leak",
    "silent_model_update",
    "repetition_loop",
    "cache_cross_talk",
    "provider_outage",
    "citation_off_by_one",
    "translation_failure",
    "streaming_truncation",
    "tool_schema_change",
    "wrong_tool_arguments",
    "consumer_parser_change",
)
"""Faults that nothing is fitted on: two to four of each layer, written down before the first fit."""


def scenario(name: str, seed: int, calls: int) -> Scenario:
    """A drill of a fault or decoy with random severity, delay, hours and time."""
    random = np.random.default_rng([seed, *name.encode()])
    return Scenario(
        fault=name if name in FAULTS else "",
        decoy=name if name in DECOYS else "",
        seed=seed,
        calls=calls,
        hours=float(random.uniform(6, 24)),
        fault_at=float(random.uniform(0.5, 0.65)),
        severity=float(random.uniform(0.4, 1.0)),
        delay_s=float(random.choice([10, 60, 600, 3600], p=[0.3, 0.4, 0.2, 0.1])),
        rollout=float(random.choice([1.0, 0.5], p=[0.8, 0.2])),
    )
