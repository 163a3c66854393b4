"""Weights of first and second opinions, fitted on sources that no second opinion was trained on:
`python -m training.encoder.points TASK DATA SOURCES`. Prints weights and figures; nothing is written.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from holdfast.core.call import Call, Document, Kind, Message
from holdfast.core.trace import Trace
from holdfast.score.groundedness import Groundedness
from holdfast.score.grounding import doubted
from holdfast.score.opinion import answer_opinion, opinion
from holdfast.score.pieces import Piece
from holdfast.score.reading import reading_of
from holdfast.score.safety import Safety, cut, first_request
from training.inline.__main__ import last_turn, told
from training.inline.data import Corpus

_SAFETY, _GROUNDEDNESS = Safety(), Groundedness()
Features = Callable[[dict[str, Any]], list[float] | None]
EACH = 250
"""Rows of a source."""


def exchange(question: str, answer: str, context: str = "") -> Trace:
    """A trace of one question and one answer."""
    call = Call(
        trace_id="e" * 32, span_id="1" * 16, kind=Kind.LLM, input_messages=(Message("user", question),) if question else (),
        output_messages=(Message("assistant", answer),) if answer else (),
    )  # fmt: skip
    found = Call(
        trace_id="e" * 32, span_id="3" * 16, parent_span_id="1" * 16, kind=Kind.RETRIEVAL, documents=(Document(context),)
    )
    return Trace("e" * 32, (call, found) if context else (call,))


def toxicity(row: dict[str, Any]) -> list[float] | None:
    """First and second opinion of a text."""
    piece = Piece(row["text"])
    return [cut(_SAFETY.toxicity.log_odds(row["text"], piece)[0]), cut(opinion(piece).get("toxicity", 0.0))]


def request(row: dict[str, Any]) -> list[float] | None:
    """First and second opinion of a prompt."""
    reading = reading_of(exchange(row["text"], ""))
    return [cut(first_request(reading)), cut(opinion(reading.question_piece).get("unsafe_request", 0.0))]


def output(row: dict[str, Any]) -> list[float] | None:
    """What `Safety` weighs of an answer, in the order of `OutputWeights`."""
    question = last_turn(row["prompt"])
    reading = reading_of(exchange(question, row["response"]))
    first = _SAFETY.unsafe.answered(reading, first_request(reading))
    paired = answer_opinion(question, row["response"])["unsafe_output"]
    return [*map(cut, (first, paired, opinion(reading.answer_piece).get("unsafe_output", first)))]


def faithfulness(row: dict[str, Any]) -> list[float] | None:
    """First and second opinion of an answer beside its context; None where the first has none."""
    trace = exchange(row.get("prompt") or "", row["response"], row["context"])
    first = next((s.value for s in _GROUNDEDNESS.score(trace) if s.metric == "ungrounded_answer"), None)
    return None if first is None else [cut(float(np.log(first / (1 - first)))), cut(doubted(reading_of(trace))[0])]


TASKS: dict[str, Features] = {
    "toxicity": toxicity,
    "unsafe_prompt": request,
    "unsafe_output": output,
    "faithfulness": faithfulness,
}


def main() -> None:
    """Read, fit, print."""
    parser = argparse.ArgumentParser(prog="python -m training.encoder.points", description=__doc__)
    parser.add_argument("task", choices=sorted(TASKS))
    parser.add_argument("data", type=Path)
    parser.add_argument("sources", help="task/dataset or task/dataset:domain, with commas between")
    options = parser.parse_args()
    corpus, x, y, groups = Corpus(options.data), [], [], []
    for source in options.sources.split(","):
        name, _, domain = source.partition(":")
        rows = [r for r in corpus.rows(name) if not domain or (r.get("label_detail") or {}).get("domain") == domain]
        if options.task == "unsafe_output":
            rows = [r for r in rows if r["label_detail"]["pair"] % 4 == 0]
        for i in np.random.default_rng(0).permutation(len(rows))[:EACH]:
            features = TASKS[options.task](rows[i])
            if features is not None:
                x.append(features), y.append(rows[i]["label"]), groups.append(source)
    summary(np.array(x), np.array(y), np.array(groups))


def summary(x: np.ndarray, y: np.ndarray, groups: np.ndarray) -> None:
    """Weights of a balanced logistic regression, and how each opinion and their sum order each source."""
    model = LogisticRegression(class_weight="balanced", C=1.0).fit(x, y)
    told(f"weights {np.round(model.coef_[0], 3).tolist()}, shift {model.intercept_[0]:.3f}")
    values = np.column_stack([x, model.decision_function(x)])
    for source in [*dict.fromkeys(groups), "all"]:
        inside = (groups == source) | (source == "all")
        truth = y[inside]
        if 0 < truth.mean() < 1:
            for name, z in zip([*map(str, range(x.shape[1])), "sum"], values[inside].T, strict=True):
                told(f"{source} ({len(truth)}) {name}: {figures(truth, z)}")
        for label in (0, 1):
            z = values[inside][truth == label, -1]
            if len(z):
                points = np.percentile(z, (5, 25, 50, 75, 90, 95, 99)).round(2).tolist()
                told(f"    {source}, label {label}: 5, 25, 50, 75, 90, 95, 99 % lie below {points}")


def figures(truth: np.ndarray, z: np.ndarray) -> str:
    """AUROC, average precision, and the balanced accuracy at the best point."""
    points = np.quantile(z, np.linspace(0.02, 0.98, 49))
    best = max((np.mean(z[truth == 1] >= t) + np.mean(z[truth == 0] < t)) / 2 for t in points)
    return f"AUROC {roc_auc_score(truth, z):.3f} AP {average_precision_score(truth, z):.3f} best balanced accuracy {best:.3f}"


if __name__ == "__main__":
    main()
