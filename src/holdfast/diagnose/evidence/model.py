"""Model and its configuration: which model answered, how it writes, where it stops."""

from holdfast.diagnose.evidence.composite import Composite

COMPOSITES = (
    Composite("model_mismatch", "Another model answered than was asked", ("model_mismatch",)),
    Composite("drift", "Answers differ from what such questions used to get", ("output_drift",)),
    Composite("repetition", "Answers repeat themselves", ("repetition",)),
    Composite("truncation", "Answers end at the token limit or in mid-sentence", ("truncation",)),
    Composite("confidence", "The model is less sure of its tokens", ("low_confidence",)),
    Composite("answer_length", "Answers are longer", ("answer_length", "output_tokens")),
    Composite("model_speed", "The model is slower", ("model_latency", "time_to_first_token")),
    Composite("cost", "Requests cost more", ("cost",)),
    Composite("duplicates", "Different questions get the same answer", ("duplicate_answer",)),
    Composite("cache", "More answers come from a cache", ("cache_hit",)),
)
