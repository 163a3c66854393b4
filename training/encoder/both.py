"""How well both opinions together judge sources that neither was trained on: `python -m training.encoder.both START DATA --left
SOURCES --work FOLDER`, after `python -m training.encoder` with the same sources left out. Prints 95 % intervals.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from holdfast.evaluation_figures import auprc, auroc
from holdfast.models.artefact import inline
from holdfast.score.attack import ATTACK
from holdfast.score.safety import ABUSE, LIMIT, REQUEST, Weights
from holdfast.score.text import capped, folded
from training.encoder import safety
from training.encoder.fit import told
from training.encoder.measure import CONTRASTS
from training.figures import over_all, share
from training.inline.data import Corpus
from training.inline.fit import fit
from training.inline.heads import RECIPES
from training.inline.matrix import blocks

Floats = npt.NDArray[np.float64]
WEIGHTS: dict[str, Weights] = {"toxicity": ABUSE, "unsafe_request": REQUEST, "prompt_injection": ATTACK}
ORDINARY = "halueval_queries"


def first_opinions(head: str, corpus: Corpus, left: frozenset[str], texts: list[str]) -> Floats:
    """Log-odds by a head over n-grams that saw none of the sources left out, at the shipped operating point."""
    recipe = RECIPES[head]
    examples = recipe.examples(corpus)
    matrix = blocks([folded(capped(t)) for t in [*(e.text for e in examples), *texts]], recipe.structure)
    learned = np.array([i for i, e in enumerate(examples) if e.source not in left])
    labels, weights = np.array([e.label for e in examples]), np.array([e.weight for e in examples])
    fitted = fit(matrix.part(learned), labels[learned], weights[learned], recipe.c)
    shipped = inline().heads[head]
    logits = fitted.logits(matrix.part(np.arange(len(examples), len(examples) + len(texts))))
    found: Floats = shipped.slope * (logits - shipped.threshold)
    return found


def line(truth: npt.NDArray[np.int64], said: Floats, ordinary: Floats) -> str:
    """What is flagged at the operating point, the order, and recall at fixed shares of ordinary prompts flagged."""
    parts = [f"flagged of label {k}: {share(said[truth == k] >= 0)}" for k in (0, 1) if k in truth]
    if 0 < truth.mean() < 1:
        parts += [
            f"AUROC {over_all(auroc, truth, said)}",
            f"AUPRC {over_all(auprc, truth, said)}",
        ]
    if len(ordinary) and truth.any():
        parts += [f"recall at {p:.0%} {np.mean(said[truth == 1] >= np.quantile(ordinary, 1 - p)):.3f}" for p in (0.01, 0.05, 0.1)]
    return "; ".join(parts)


def main() -> None:
    """Print a line for each head, source and opinion."""
    parser = argparse.ArgumentParser(prog="python -m training.encoder.both", description=__doc__)
    parser.add_argument("start", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--left", required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--families", action="store_true", help="also by family of what was written for the project")
    options = parser.parse_args()
    left, corpus = frozenset(options.left.split(",")), Corpus(options.data)
    tokenizer = Tokenizer.from_file(str(options.start / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    found = safety.samples(tokenizer, corpus)
    outputs = safety.kept(options.work, left)
    for head, weights in WEIGHTS.items():
        chosen = [i for i, s in enumerate(found) if s.head == head and (s.source in left or s.source == ORDINARY)]
        first = np.clip(first_opinions(head, corpus, left, [found[i].text for i in chosen]), -LIMIT, LIMIT)
        second = np.clip(outputs[chosen, safety.HEADS.index(head)], -LIMIT, LIMIT)
        both = weights.first * first + weights.second * second + weights.shift
        truth = np.array([found[i].label for i in chosen])
        sources = np.array([CONTRASTS.get(found[i].source, found[i].source) for i in chosen])
        families = np.array([found[i].family for i in chosen])
        for name, said in (("n-grams", first), ("encoder", second), ("both", both)):
            ordinary = said[sources == ORDINARY]
            for source in dict.fromkeys(sources):
                rows = sources == source
                told(f"{head}, {name}: {source} ({rows.sum()}): {line(truth[rows], said[rows], ordinary)}")
        for family in dict.fromkeys(families[sources == "written"]) if options.families else ():
            rows = (families == family) & (sources == "written")
            told(f"    {head}: {family}: flagged {share(both[rows] >= 0)}, label {truth[rows][0]}")


if __name__ == "__main__":
    main()
