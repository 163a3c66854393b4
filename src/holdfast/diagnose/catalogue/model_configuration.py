"""Faults of the model and its configuration."""

from holdfast.core.diagnosis import Layer
from holdfast.diagnose.catalogue.hypothesis import Hypothesis


def _fault(fault: str, means: str, moves: str, where: tuple[str, str], action: str, weight: float = 1.0) -> Hypothesis:
    return Hypothesis(fault, Layer.MODEL_CONFIGURATION, moves, where[0], where[1], action, means, weight)


_PIN = "pin the parameters of {suspect} to their last good values"
_BACK = "route {suspect} back to the last good model version"
_CONFIG = ("model:3 route:3 none:4 tenant:.5", "config:8 model:2 flag:.7 code:1 none:1")

MODEL_CONFIGURATION = (
    _fault(
        "temperature_too_high",
        "a sampling temperature that is too high",
        "temperature:+ confidence:++ grounding:+ relevance:+ format:+ drift:+ numbers:+ garbled:~ language:~ "
        "answer_length:~ repetition:~",
        _CONFIG,
        _PIN,
        1.3,
    ),
    _fault(
        "repetition_loop",
        "a model that repeats itself",
        "temperature:~ token_limit:~ repetition:++ answer_length:+ truncation:+ cost:~ model_speed:+ "
        "latency:~ drift:+ relevance:~",
        _CONFIG,
        _PIN,
        1.2,
    ),
    _fault(
        "max_tokens_too_low",
        "a token limit that cuts answers",
        "token_limit:- truncation:++ answer_length:- format:+ cost:- model_speed:- latency:- relevance:~ drift:~",
        _CONFIG,
        _PIN,
        1.3,
    ),
    _fault(
        "silent_model_update",
        "a model that changed at the provider",
        "model_update:+ fingerprint:+ drift:++ answer_length:+- grounding:+ format:~ refusal:~ confidence:~ model_mismatch:~ "
        "model_speed:+- cost:~ missing_tools:~",
        ("model:6 none:4 route:1", "model:3 config:.5 none:6"),
        _BACK,
        1.2,
    ),
    _fault(
        "wrong_model_routed",
        "requests routed to another model",
        "fingerprint:~ cost:-- model_speed:- latency:- grounding:+ model_mismatch:+ relevance:+ drift:+ "
        "answer_length:- confidence:+",
        ("model:7 route:2 none:1.5 tenant:1 region:1", "config:4 model:5 flag:2 code:1 none:1.5"),
        _BACK,
        1.3,
    ),
    _fault(
        "degraded_replica",
        "a replica that computes worse",
        "fingerprint:~ confidence:+ grounding:+ relevance:~ garbled:~ repetition:~ drift:~ model_speed:~ numbers:~",
        ("replica:8 region:8 model:2 none:1", "none:6 config:1.5 model:2 code:1"),
        "shift traffic of {suspect} to a healthy region or replica",
        1.2,
    ),
    _fault(
        "stop_sequence_wrong",
        "a stop sequence that ends answers early",
        "answer_length:-- truncation:+ format:+ cost:- model_speed:- relevance:~ drift:+ latency:~ context_gap:~",
        _CONFIG,
        _PIN,
    ),
    _fault(
        "context_window_overflow",
        "inputs longer than the context window",
        "model_error:+ long_inputs:++ error:+ input_length:+ grounding:+ truncation:~ cost:~ relevance:~ latency:~",
        ("route:3 none:3 tenant:2 model:3 prompt.version:.7", "config:4 model:3 code:1.5 prompt:.7 none:3"),
        "pin {suspect} to a model with a larger window, and bound the history and documents in its prompt",
    ),
    _fault(
        "provider_outage",
        "a provider that fails or throttles",
        "model_error:++ throttled:+ timeout:+ error:++ latency:+ model_speed:+ model_mismatch:~ "
        "tool_presence:~ feedback_presence:~ relevance:~ truncation:~",
        ("model:6 none:4 region:2 route:.5", "none:10 config:.3"),
        "open the breaker on the failing provider and shift {suspect} to the fallback model",
        1.3,
    ),
    _fault(
        "tool_choice_off",
        "a model that no longer calls its tools",
        "missing_tools:++ tools_offered:- tool_presence:-- numbers:+ grounding:+ steps:- latency:~ cost:~ relevance:~ "
        "refusal:~ tool_contradiction:~",
        ("route:4 none:4 model:2 tool:1", "config:7 model:2 flag:1 code:1 prompt:.7 none:1"),
        _PIN,
    ),
    _fault(
        "cache_cross_talk",
        "a prompt cache that mixes requests",
        "duplicates:++ relevance:+ cache:+ grounding:+ model_speed:~ latency:~ cost:~ drift:+ sensitive:~",
        ("none:4 route:3 model:2 region:1 replica:1 tenant:1", "config:7 code:1.5 model:1.5 none:2"),
        "switch the prompt cache off for {suspect}",
    ),
    _fault(
        "guard_model_down",
        "a guard model that does not answer",
        "timeout:~ guard_error:++ block:+ altered:+ guard_presence:- refusal:+ relevance:~ error:~ toxicity:~ sensitive:~",
        ("none:5 route:3 region:2 replica:1 model:1 language:1", "none:5 guardrail:4 config:1.5 model:1.5"),
        "fall back to the deterministic guards for {suspect} until the guard model answers",
    ),
)
