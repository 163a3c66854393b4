"""Model and its configuration: which model answered, how it writes, where it stops."""

import re

from holdfast.diagnose.evidence.composite import Composite, Derived, Scene
from holdfast.diagnose.moves import Step

LEAST_CALLS = 8
NEARLY_ALL = 0.9
NEVER = 0.02
_APART = re.compile(r"[-_:@/]")


def same_model(one: str, other: str) -> bool:
    """Whether two names are versions of one model: they differ only behind a common beginning, and there in numbers and dates."""
    names = [_APART.split(name.lower()) for name in (one, other)]
    common = next((at for at, (a, b) in enumerate(zip(*names, strict=False)) if a != b), min(map(len, names)))
    rests = [parts[common:] for parts in names]
    return common > 0 and rests != [[], []] and all(any(map(str.isdigit, part)) or part == "latest" for r in rests for part in r)


def updated(scene: Scene) -> tuple[Step, str] | None:
    """Whether the cohort is answered by another version of the model that answered before, of which there was none then."""
    frame = scene.frame
    models = [value for dimension, value in frame.conditions if dimension == "model"]
    late, early = scene.inside & frame.after, scene.healthy > 0
    if int(late.sum()) < LEAST_CALLS or not early.any() or not models:
        return None
    new = [m for m in models if float(frame.mask(("model", m))[late].mean()) >= NEARLY_ALL]
    if not new or float(frame.mask(("model", new[0]))[early].mean()) > NEVER:
        return Step.FLAT, "the same models answer as before"
    before = max(models_before(scene), key=lambda m: float(frame.mask(("model", m))[early].mean()), default="")
    if not same_model(before, new[0]):
        return None
    return Step.SURGE, f"{new[0]} answers where {before} did"


def models_before(scene: Scene) -> list[str]:
    """Every model that a call of the healthy comparison had."""
    frame, early = scene.frame, scene.healthy > 0
    return [name for name in frame.values("model") if bool(frame.mask(("model", name))[early].any())]


COMPOSITES = (
    Composite(
        "model_mismatch",
        "Another model answered than was asked",
        "Fewer calls are answered by another model than was asked",
        ("model_mismatch",),
    ),
    Derived("model_update", "The model became another version", updated),
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
