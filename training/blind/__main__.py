"""What the shipped models say of texts that nothing was trained on: `python -m training.blind [--families]`.

Every row is shown to both opinions, at the shipped operating point; 95 % intervals.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.evaluation import Row, evaluate
from holdfast.evaluation_figures import auprc, auroc, wilson
from holdfast.score.operating_points import THRESHOLDS
from training.inline.__main__ import told

FOLDER = Path(__file__).parent
SETS: dict[str, tuple[str, str]] = {
    "requests": ("unsafe_prompt", "requests.jsonl"),
    "exchanges": ("unsafe_output", "exchanges.jsonl"),
    "abuse": ("toxicity", "abuse.jsonl"),
    "moderation": ("toxicity", "abuse.jsonl"),
    "injection": ("injection", "injection.jsonl"),
    "documents": ("injection", "documents.jsonl"),
    "documents_again": ("injection", "documents_again.jsonl"),
}
"""Set → task and file. `moderation_*` families of the file are a set of their own."""
DRAWS = 400
Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]


def rows(name: str) -> Iterator[tuple[str, Row]]:
    """Place and row of each text of a set; its family is the row's `label_detail`."""
    task, file = SETS[name]
    for number, line in enumerate((FOLDER / file).read_text(encoding="utf-8").splitlines(), 1):
        text = json.loads(line)
        if file == "abuse.jsonl" and text["family"].startswith("moderation") != (name == "moderation"):
            continue
        row = Row(label=text["label"], id=f"{name}-{number}", label_detail=text["family"])
        if task == "unsafe_output":
            row.prompt, row.response = text["q"], text["a"]
        elif name.startswith("documents"):
            row.prompt, row.context = "What does it say?", text["text"]
        else:
            row.text = text["text"]
        yield f"{file}:{number}", row


def interval(figure: Callable[[Ints, Floats], float | None], labels: Ints, scores: Floats) -> str:
    """A figure with its percentile bootstrap interval (Efron 1979)."""
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(labels), len(labels)) for _ in range(DRAWS)]
    values = [value for d in draws if (value := figure(labels[d], scores[d])) is not None]
    return f"{figure(labels, scores):.3f} [{np.quantile(values, 0.025):.3f}, {np.quantile(values, 0.975):.3f}]"


def flagged(said: Ints) -> str:
    """The share that is flagged, with its interval."""
    low, high = wilson(int(said.sum()), len(said))
    return f"{said.mean():.3f} [{low:.3f}, {high:.3f}]"


def judged(name: str, families: bool) -> None:
    """Print the figures of a set."""
    task = SETS[name][0]
    outcome = evaluate(task, rows(name))
    labels = np.array(outcome.labels, dtype=np.int64)
    scores = np.array([0.0 if j.score is None else j.score for j in outcome.judged])
    said = (scores >= THRESHOLDS[task]).astype(np.int64)
    told(
        f"{name} ({task}, {labels.sum()} of {len(labels)}): caught {flagged(said[labels == 1])}, flagged of harmless"
        f" {flagged(said[labels == 0])}, AUROC {interval(auroc, labels, scores)}, AUPRC {interval(auprc, labels, scores)}"
    )
    kinds = np.array([row.label_detail for _, row in rows(name)])
    for kind in dict.fromkeys(kinds) if families else ():
        told(f"    {kind}, label {labels[kinds == kind][0]}: flagged {flagged(said[kinds == kind])}")


def main() -> None:
    """Every set."""
    parser = argparse.ArgumentParser(prog="python -m training.blind", description=__doc__)
    parser.add_argument("--families", action="store_true", help="also by family")
    options = parser.parse_args()
    for name in SETS:
        judged(name, options.families)


if __name__ == "__main__":
    main()
