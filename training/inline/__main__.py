"""Trains the inline models: `python -m training.inline [DATA] [--out FOLDER]`. Minutes on a core, always the same result."""

import argparse
import hashlib
import io
import sys
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

import holdfast.models.artefact
import training.templates
from holdfast.evaluation_figures import auroc
from holdfast.models.artefact import ARRAYS, DESCRIPTION, VERSION, Description, HeadDescription
from holdfast.models.linear import Head
from holdfast.models.ngrams import BITS, ngrams
from holdfast.score.injection_features import features
from holdfast.score.learned import document_structure, output_structure, size_structure
from holdfast.score.refusal import Refusal
from holdfast.score.text import capped, folded
from training import written
from training.inline.data import WINDOW, Corpus, answered, documented, whole_documents
from training.inline.fit import Fitted, fit, fold_of, out_of_fold
from training.inline.heads import RECIPES, insults, keys, operating_point
from training.inline.matrix import Blocks, Floats, blocks

Weights = npt.NDArray[np.int16]


CLEAN = {"bipia": 0.98, "templates_document": 0.95, "summedits_contexts": 0.98}
"""Source → share of its clean documents that must pass, out of fold."""


HARMLESS = {"plain_answers": 0.98, "written_answers": 0.85}
"""Source → share of its harmless answers that must pass, out of fold."""


def told(line: str) -> None:
    """Progress."""
    sys.stderr.write(line + "\n")


def slope_of(logits: Floats, labels: npt.NDArray[np.int64]) -> float:
    """Platt scaling out of fold: what the log-odds are to be multiplied by (the shift is the operating point's)."""
    model = LogisticRegression(class_weight="balanced").fit(logits[:, None], labels)
    return float(model.coef_[0, 0])


def packed(name: str, fitted: Fitted, slope: float, threshold: float, window: int = 0) -> Head:
    """The head as it is shipped."""
    unit = float(np.abs(fitted.grams).max()) / 32767
    grams = np.round(fitted.grams / unit).astype(np.int16)
    return Head(name, grams, unit, tuple(np.round(fitted.structure, 5).tolist()), fitted.intercept, slope, threshold, window)


def trained(name: str, corpus: Corpus) -> tuple[Head, int, float | None]:
    """One head with the number of its texts and its AUROC out of fold."""
    recipe = RECIPES[name]
    examples = recipe.examples(corpus)
    labels = np.array([e.label for e in examples])
    weights = np.array([e.weight for e in examples])
    matrix = blocks([folded(capped(e.text)) for e in examples], recipe.structure)
    logits = out_of_fold(matrix, labels, weights, keys(examples), recipe.c)
    threshold = operating_point(recipe, examples, labels, logits)
    area = auroc(labels, logits)
    told(f"{name}: {len(examples)} texts, AUROC out of fold {area}, operating point {threshold:.3f}")
    for source in sorted({e.source for e in examples}):
        inside = np.array([e.source == source for e in examples])
        shares = [
            f"{np.mean(logits[inside & (labels == k)] >= threshold):.3f}" if (inside & (labels == k)).any() else "-"
            for k in (0, 1)
        ]
        told(f"    {source}: {int(inside.sum())} texts, flagged of label 0 {shares[0]}, of label 1 {shares[1]}")
    return packed(name, fit(matrix, labels, weights, recipe.c), slope_of(logits, labels), threshold), len(examples), area


def trained_documents(corpus: Corpus) -> tuple[Head, int, float | None]:
    """The head of documents: n-grams of stretches first, then the worst stretch and the features of the whole document.

    The second stage sees what the first says of documents whose attack, or whose text, it was not trained on.
    """
    stretches, whole = documented(corpus), whole_documents(corpus)
    labels, weights = np.array([e.label for e in stretches]), np.array([e.weight for e in stretches])
    matrix = blocks([folded(capped(e.text)) for e in stretches], lambda _: ())
    own = [e.group or f"{e.source} {e.family or e.text[:60]}" for e in stretches]
    places = fold_of([*own, *(e.group for e in whole)], 4)
    texts = [folded(capped(e.text)) for e in whole]
    worst = np.zeros(len(whole))
    for fold in range(4):
        inside = np.array([places[k] == fold for k in own])
        head = packed("", fit(matrix.part(np.flatnonzero(~inside)), labels[~inside], weights[~inside]), 1.0, 0.0, WINDOW)
        for i, (e, text) in enumerate(zip(whole, texts, strict=True)):
            if places[e.group] == fold:
                worst[i] = head.log_odds(ngrams(text), ())
    truth = np.array([e.label for e in whole])
    rows = np.column_stack([worst, np.array([document_structure(text, features(text)) for text in texts])])
    balance = np.where(truth == 1, 1.0, 2.0)
    second = LogisticRegression(C=0.3, max_iter=500).fit(rows, truth, sample_weight=balance)
    said = rows @ second.coef_[0] + second.intercept_[0]
    sources = np.array([e.source for e in whole])
    threshold = max(float(np.quantile(said[(sources == s) & (truth == 0)], q)) for s, q in CLEAN.items())
    for source in ("bipia", "templates_document", "summedits_contexts"):
        chosen = np.array([e.source == source for e in whole])
        told(
            f"    documents of {source}: AUROC {auroc(truth[chosen], said[chosen])}, flagged"
            f" {np.mean(said[chosen & (truth == 1)] >= threshold) if truth[chosen].any() else 0:.3f} of injected,"
            f" {np.mean(said[chosen & (truth == 0)] >= threshold):.3f} of clean"
        )
    for domain in sorted({e.family for e in whole if e.source == "bipia"}):
        chosen = np.array([e.source == "bipia" and e.family == domain for e in whole])
        told(f"        {domain}: AUROC {auroc(truth[chosen], said[chosen])}")
    first = fit(matrix, labels, weights)
    merged = Fitted(
        first.grams * second.coef_[0][0],
        second.coef_[0][1:],
        float(first.intercept * second.coef_[0][0] + second.intercept_[0]),
    )
    bipia = np.array([e.source == "bipia" for e in whole])
    return packed("document_injection", merged, 1.0, threshold, WINDOW), len(whole), auroc(truth[bipia], said[bipia])


def trained_output(corpus: Corpus, heads: dict[str, Head]) -> tuple[Head, int, float | None]:
    """The head of answers, which hears the heads of requests and of toxicity."""
    refusal, examples = Refusal(), answered(corpus)
    rows = []
    for e in examples:
        question, answer = folded(capped(last_turn(e.prompt))), folded(capped(e.text))
        asked = heads["unsafe_request"].log_odds(ngrams(question), size_structure(question))
        abuse = heads["toxicity"].log_odds(ngrams(answer), insults(answer))
        rows.append(output_structure(asked, refusal.judge(e.text)[0], abuse))
    plain = blocks([folded(capped(e.text)) for e in examples], lambda _: ())
    matrix = Blocks(plain.grams, np.array(rows))
    labels, weights = np.array([e.label for e in examples]), np.array([e.weight for e in examples])
    logits = out_of_fold(matrix, labels, weights, [e.group for e in examples])
    sources = np.array([e.source for e in examples])
    for source in ("hh_harmless_pairs", "written_answers"):
        inside = sources == source
        told(f"unsafe_output: {int(inside.sum())} of {source}, AUROC out of fold {auroc(labels[inside], logits[inside])}")
    threshold = max(float(np.quantile(logits[(sources == s) & (labels == 0)], q)) for s, q in HARMLESS.items())
    area = auroc(labels, logits)
    told(f"unsafe_output: {len(examples)} texts, AUROC out of fold {area}, operating point {threshold:.3f}")
    return packed("unsafe_output", fit(matrix, labels, weights), slope_of(logits, labels), threshold), len(examples), area


def last_turn(prompt: str) -> str:
    """What the user said last in a dialogue written as Human: … Assistant: …"""
    turns = [t for t in prompt.split("Human:") if t.strip()]
    return turns[-1].split("Assistant:")[0].strip() if turns else prompt


def sources_hash(package: str) -> str:
    """SHA-256 over the modules of a package in this folder, in order of their names."""
    folder = Path(training.templates.__file__).parents[1] / package
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))).hexdigest()


def own_hashes() -> dict[str, str]:
    """Name → hash of what was written for the project."""
    return {"templates": sources_hash("templates"), "people": sources_hash("pii"), "written": written.fingerprint()}


def write(folder: Path, found: dict[str, tuple[Head, int, float | None]], corpus: Corpus) -> None:
    """Arrays and description, each in one step."""
    raw = io.BytesIO()
    np.savez_compressed(raw, **{name: head.grams for name, (head, _, _) in found.items()})
    arrays = raw.getvalue()
    description = Description(
        version=VERSION,
        bits=BITS,
        sha256=hashlib.sha256(arrays).hexdigest(),
        heads={
            name: HeadDescription(
                unit=head.unit,
                structure=head.structure,
                intercept=head.intercept,
                slope=head.slope,
                threshold=head.threshold,
                window=head.window,
                rows=rows,
                auroc_out_of_fold=area,
            )
            for name, (head, rows, area) in found.items()
        },
        data=dict(sorted(corpus.hashes.items())) | own_hashes(),
    )
    for name, content in ((ARRAYS, arrays), (DESCRIPTION, msgspec.json.format(msgspec.json.encode(description)) + b"\n")):
        partial = folder / f"{name}.partial"
        partial.write_bytes(content)
        partial.replace(folder / name)


def main() -> None:
    """Train all heads and write the artefact."""
    parser = argparse.ArgumentParser(prog="python -m training.inline", description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path(holdfast.models.artefact.__file__).parent)
    options = parser.parse_args()
    corpus = Corpus(options.data)
    found = {name: trained(name, corpus) for name in RECIPES}
    found["document_injection"] = trained_documents(corpus)
    found["unsafe_output"] = trained_output(corpus, {name: head for name, (head, _, _) in found.items()})
    write(options.out, found, corpus)


if __name__ == "__main__":
    main()
