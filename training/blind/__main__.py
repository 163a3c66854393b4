"""What the shipped models say of texts that nothing was trained on: `python -m training.blind [--families]`.

Every row is shown to both opinions, at the shipped operating point; 95 % intervals.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from holdfast.evaluation import Row, evaluate
from holdfast.evaluation_figures import auprc, auroc
from holdfast.score.operating_points import THRESHOLDS
from training.figures import over_all, share
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
    "requests_again": ("unsafe_prompt", "requests_again.jsonl"),
    "abuse_again": ("toxicity", "abuse_again.jsonl"),
    "summaries": ("faithfulness", "summaries.jsonl"),
}
"""Set → task and file. `moderation_*` families of the file are a set of their own."""


def rows(name: str) -> Iterator[tuple[str, Row]]:
    """Place and row of each text of a set; its family is the row's `label_detail`."""
    task, file = SETS[name]
    for number, line in enumerate((FOLDER / file).read_text(encoding="utf-8").splitlines(), 1):
        told_of = json.loads(line)
        for one in told_of.get("answers", [told_of]):
            family = one.get("kind") or one["family"]
            if file == "abuse.jsonl" and family.startswith("moderation") != (name == "moderation"):
                continue
            row = Row(label=one["label"], id=f"{name}-{number}", label_detail=family)
            if task == "unsafe_output":
                row.prompt, row.response = one["q"], one["a"]
            elif task == "faithfulness":
                row.context, row.response = told_of["document"], one["text"]
            elif name.startswith("documents"):
                row.prompt, row.context = "What does it say?", one["text"]
            else:
                row.text = one["text"]
            yield f"{file}:{number}", row


def judged(name: str, families: bool) -> None:
    """Print the figures of a set."""
    task = SETS[name][0]
    outcome = evaluate(task, rows(name))
    labels = np.array(outcome.labels, dtype=np.int64)
    scores = np.array([0.0 if j.score is None else j.score for j in outcome.judged])
    said = scores >= THRESHOLDS[task]
    caught, flagged = said[labels == 1], said[labels == 0]
    told(
        f"{name} ({task}, {labels.sum()} of {len(labels)}): caught {share(caught)}, flagged of harmless {share(flagged)},"
        f" balanced accuracy {(caught.mean() + 1 - flagged.mean()) / 2:.3f}, AUROC {over_all(auroc, labels, scores)}, AUPRC"
        f" {over_all(auprc, labels, scores)}"
    )
    kinds = np.array([row.label_detail for _, row in rows(name)])
    for kind in dict.fromkeys(kinds) if families else ():
        told(f"    {kind}, label {labels[kinds == kind][0]}: flagged {share(said[kinds == kind])}")


def main() -> None:
    """Every set."""
    parser = argparse.ArgumentParser(prog="python -m training.blind", description=__doc__)
    parser.add_argument("--families", action="store_true", help="also by family")
    options = parser.parse_args()
    for name in SETS:
        judged(name, options.families)


if __name__ == "__main__":
    main()
