"""Model and its configuration: which model answered, how it writes, where it stops."""

from holdfast.diagnose.evidence.composite import Composite

COMPOSITES = (
    Composite(
        "model_mismatch",
        "Another model answered than was asked",
        "Fewer calls are answered by another model than was asked",
        ("model_mismatch",),
    ),
    Composite(
        "drift",
        "Answers differ from what such questions used to get",
        "Answers are closer to what such questions used to get",
        ("output_drift",),
    ),
    Composite("repetition", "Answers repeat themselves", "Answers repeat themselves less", ("repetition",)),
    Composite(
        "truncation",
        "Answers end at the token limit or in mid-sentence",
        "Fewer answers end at the token limit or in mid-sentence",
        ("truncation",),
    ),
    Composite("confidence", "The model is less sure of its tokens", "The model is surer of its tokens", ("low_confidence",)),
    Composite("answer_length", "Answers are longer", "Answers are shorter", ("answer_length", "output_tokens")),
    Composite("model_speed", "The model is slower", "The model is faster", ("model_latency", "time_to_first_token")),
    Composite("cost", "Requests cost more", "Requests cost less", ("cost",)),
    Composite("duplicates", "Different questions get the same answer", "Fewer questions share an answer", ("duplicate_answer",)),
    Composite(
        "temperature", "Model calls ask for a higher temperature", "Model calls ask for a lower temperature", ("temperature",)
    ),
    Composite(
        "token_limit", "Model calls ask for more tokens at most", "Model calls ask for fewer tokens at most", ("max_tokens",)
    ),
    Composite("tools_offered", "Models are offered more tools", "Models are offered fewer tools", ("tools_offered",)),
    Composite(
        "fingerprint",
        "The provider answers from another backend",
        "The provider answers from another backend less often",
        ("new_fingerprint",),
    ),
    Composite("model_error", "Model calls fail", "Fewer model calls fail", ("model_error",)),
    Composite("cache", "More answers come from a cache", "Fewer answers come from a cache", ("cache_hit",)),
)
