"""Every fault, by name. A new one is one entry in the file of its layer."""

from holdfast.core.errors import NotFoundError
from holdfast.drills.faults import downstream_integration, input_data, model_configuration, output_processing, prompt_engineering
from holdfast.drills.faults.fault import Fault

FAULTS: dict[str, Fault] = {
    fault.name: fault
    for layer in (input_data, prompt_engineering, model_configuration, output_processing, downstream_integration)
    for fault in layer.FAULTS
}


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
"""Faults that nothing is fitted on: what is measured on them says how well faults that nobody thought of are found.

Three or four of each layer, chosen by hand before the first calibration of `training/diagnose`, so that every layer is in both
parts. All others are development faults.
"""


def find_fault(name: str) -> Fault:
    """The fault `name`.

    Raises:
        NotFoundError: there is none of that name.
    """
    if name not in FAULTS:
        raise NotFoundError(f"no fault {name!r}; there are {', '.join(FAULTS)}")
    return FAULTS[name]
