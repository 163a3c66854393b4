"""Each head: its texts, its structural features, and how its operating point is chosen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from holdfast.score.injection_features import features
from holdfast.score.learned import size_structure
from holdfast.score.text import words
from holdfast.score.toxicity import Toxicity, word_structure
from training.inline import data
from training.inline.data import Corpus, Example
from training.inline.fit import C, Labels
from training.inline.matrix import Floats

_TOXICITY = Toxicity()


def insults(text: str) -> Sequence[float]:
    """The structural feature of `toxicity`: the sum of word weights."""
    return word_structure(_TOXICITY.judge(text, words(text))[0])


@dataclass(frozen=True)
class Recipe:
    """A head to be trained. `guarded`: source → share of its harmless texts that must pass, out of fold; none: best balanced."""

    examples: Callable[[Corpus], list[Example]]
    structure: Callable[[str], Sequence[float]]
    guarded: dict[str, float] = field(default_factory=dict)
    c: float = C


ORDINARY = dict.fromkeys(("templates_ordinary", "templates_foreign", "begin_turns", "tau_users", "bipia_questions"), 0.99)

RECIPES: dict[str, Recipe] = {
    "prompt_injection": Recipe(
        data.direct, features, {**dict.fromkeys(ORDINARY, 0.995), "templates_lookalike": 0.95, "templates_ordinary": 0.99}
    ),
    "unsafe_request": Recipe(
        data.requested,
        size_structure,
        {**dict.fromkeys(ORDINARY, 0.98), "templates_safe": 0.85, "cyberseceval_mitre_frr": 0.95, "templates_lookalike": 0.95},
        c=10.0,
    ),
    "toxicity": Recipe(data.insulted, insults),
}


def keys(examples: Sequence[Example]) -> list[str]:
    """What must stay together in validation: a template, a group of rows, else the text itself."""
    return [f"{e.source} {e.family if e.source.startswith('templates') else e.group or e.text[:60]}" for e in examples]


def operating_point(recipe: Recipe, examples: Sequence[Example], labels: Labels, logits: Floats) -> float:
    """The log-odds from which a text counts as a failure.

    The lowest that lets the guarded share of each guarded source pass; without guards the one with the best balanced accuracy,
    averaged over sources that have both labels.
    """
    if recipe.guarded:
        sources = np.array([e.source for e in examples])
        return max(float(np.quantile(logits[(sources == s) & (labels == 0)], q)) for s, q in recipe.guarded.items())
    tried = np.quantile(logits, np.linspace(0.05, 0.95, 91))
    return float(tried[np.argmax([_balanced(examples, labels, logits >= t) for t in tried])])


def _balanced(examples: Sequence[Example], labels: Labels, said: np.ndarray) -> float:
    sources = np.array([{"templates_fair": "abuse", "templates_abusive": "abuse"}.get(e.source, e.source) for e in examples])
    found = []
    for source in set(sources.tolist()):
        inside = sources == source
        if 0 < labels[inside].mean() < 1:
            found.append(float(said[inside & (labels == 1)].mean() + 1 - said[inside & (labels == 0)].mean()) / 2)
    return float(np.mean(found))
