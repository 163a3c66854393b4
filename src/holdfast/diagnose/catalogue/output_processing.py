"""Faults of what happens to an answer after the model wrote it."""

from holdfast.core.diagnosis import Layer
from holdfast.diagnose.catalogue.hypothesis import Hypothesis


def _fault(fault: str, means: str, moves: str, action: str, cohort: str = "", changes: str = "") -> Hypothesis:
    return Hypothesis(
        fault,
        Layer.OUTPUT_PROCESSING,
        moves,
        cohort or "route:4 none:5 tenant:1 region:.5 replica:.5 language:.5",
        changes or "code:8 config:2 flag:1 guardrail:.7 none:.7",
        action,
        means,
    )


_DEPLOY = "roll the deploy that touched the answer path of {suspect} back"
_GUARD = "guardrail:8 config:2 code:1.5 flag:1 none:.7"

OUTPUT_PROCESSING = (
    _fault(
        "json_repair_mangles",
        "a repair step that changes values",
        "altered:++ tampered:+ altered_arguments:+ numbers:+ format:~ grounding:+ garbled:~ truncation:~",
        "switch the repair step off for {suspect} and return the model's own output",
    ),
    _fault(
        "toxicity_filter_misset",
        "a toxicity filter set too strict or too loose",
        "block:++ toxicity:~ refusal:+ altered:+ tampered:~ guard_presence:~ relevance:~",
        "revert the filter's threshold for {suspect}",
        "none:5 route:3 language:1.5 tenant:1 prompt.version:.2",
        _GUARD,
    ),
    _fault(
        "redactor_broken",
        "a redactor that lets data through or removes too much",
        "sensitive:++ altered:+- tampered:~ garbled:~ guard_presence:~",
        "filter {suspect} strictly until the redactor works",
        "none:5 route:4 tenant:1 language:1",
        "code:5 guardrail:4 config:2 flag:.5 none:.7",
    ),
    _fault(
        "citation_off_by_one",
        "a linker that cites the wrong document",
        "altered:+ tampered:+ citations:++ grounding:+ numbers:~ relevance:~",
        _DEPLOY,
    ),
    _fault(
        "streaming_truncation",
        "a stream that loses the end of answers",
        "altered:++ tampered:+ truncation:+ garbled:+ answer_length:~ relevance:~ format:~ latency:~",
        _DEPLOY,
        "route:3 none:4 region:2.5 replica:1.5 tenant:.5",
    ),
    _fault(
        "translation_failure",
        "a translation step that fails after the model",
        "language:++ altered:++ tampered:+ garbled:~ relevance:~ drift:~",
        "switch the translation step off for {suspect} and serve the original answer",
        "language:7 none:2 route:2 region:1",
    ),
    _fault(
        "unsafe_rendering",
        "markup that reaches the user unescaped",
        "markup:++ altered:+ tampered:+ injection:~ drift:~",
        "filter {suspect} strictly: escape markup and remove links",
    ),
    _fault(
        "response_cache_key_bug",
        "a response cache that gives users each other's answers",
        "duplicates:++ altered:+ tampered:+ cache:++ relevance:+ grounding:+ latency:- sensitive:~ cost:~ model_speed:~",
        "switch the response cache off for {suspect}",
        "route:4 none:5 tenant:1 replica:1 language:.5",
    ),
    _fault(
        "filter_disabled",
        "an output filter that no longer runs",
        "guard_presence:-- block:-- toxicity:+ grounding:+ altered:- tampered:~ sensitive:+ refusal:- numbers:~",
        "switch the filter of {suspect} on again",
        "none:5 route:4 tenant:1",
        "guardrail:7 config:2 flag:2 code:1.5 none:.7",
    ),
)
