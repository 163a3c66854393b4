from collections import Counter

import pytest

from holdfast.core.diagnosis import FAULT_LAYERS
from holdfast.core.errors import NotFoundError
from holdfast.drills.faults.registry import FAULTS, find_fault

CATALOGUE = [
    "stale_index",
    "wrong_embedder",
    "partial_index",
    "corrupted_document",
    "poisoned_document",
    "chunking_change",
    "duplicate_flood",
    "wrong_tenant_documents",
    "encoding_garbage",
    "attack_campaign",
    "out_of_scope_demand",
    "upstream_field_change",
    "grounding_rule_dropped",
    "format_instruction_lost",
    "template_variable_unsubstituted",
    "few_shot_contamination",
    "over_restrictive_wording",
    "context_truncated",
    "history_bleed",
    "locale_prompt_missing",
    "system_prompt_leak",
    "wrong_variant_served",
    "temperature_too_high",
    "repetition_loop",
    "max_tokens_too_low",
    "silent_model_update",
    "wrong_model_routed",
    "degraded_replica",
    "stop_sequence_wrong",
    "context_window_overflow",
    "provider_outage",
    "tool_choice_off",
    "cache_cross_talk",
    "guard_model_down",
    "json_repair_mangles",
    "toxicity_filter_misset",
    "redactor_broken",
    "citation_off_by_one",
    "streaming_truncation",
    "translation_failure",
    "unsafe_rendering",
    "response_cache_key_bug",
    "filter_disabled",
    "tool_schema_change",
    "tool_stale_data",
    "tool_timeout_invention",
    "agent_loop",
    "wrong_tool_arguments",
    "consumer_parser_change",
    "excess_permission",
    "rate_limit_cascade",
    "feedback_pipeline_broken",
]


def test_the_whole_catalogue_can_be_injected() -> None:
    assert set(FAULTS) == set(CATALOGUE)
    assert sorted(fault.number for fault in FAULTS.values()) == list(range(1, 53))


def test_every_layer_has_faults() -> None:
    layers = Counter(fault.layer for fault in FAULTS.values())
    assert set(layers) == set(FAULT_LAYERS)
    assert min(layers.values()) >= 9


def test_most_faults_are_silent_in_conventional_telemetry() -> None:
    assert sum(fault.silent for fault in FAULTS.values()) >= len(FAULTS) / 2


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_says_what_it_is_and_what_moves(name: str) -> None:
    fault = FAULTS[name]
    assert len(fault.title) > 20
    assert fault.signature
    assert 0 < fault.rate <= 1
    assert (fault.change is None) == (not fault.target)


def test_an_unknown_fault_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotFoundError, match="stale_index"):
        find_fault("gremlins")
