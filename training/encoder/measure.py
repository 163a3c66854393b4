"""How well sources are judged that a top was not trained on."""

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from tokenizers import Tokenizer
from torch import nn

from holdfast.evaluation_spans import joined, spans_found
from holdfast.models.encoder_tags import Tagged, likeliest, spans
from holdfast.models.encoder_tokens import shapes, windows
from holdfast.score.personal import cautious, combined, structured
from training.encoder.entities import TAGS, padded, public
from training.encoder.fit import told
from training.encoder.network import Network, States
from training.encoder.safety import HEADS, MEASURED_ONLY, Sample, held
from training.inline.data import Corpus

CONTRASTS = {
    "templates_abusive": "templates", "templates_fair": "templates", "written_abusive": "written", "written_fair": "written",
    "written_unsafe": "written", "written_safe": "written", "written_attack": "written", "written_lookalike": "written",
}  # fmt: skip
"""Sources of one label each that are judged together."""
LOOKALIKES = ("written_safe", "written_lookalike", "cyberseceval_mitre_frr", "templates_lookalike", "injecguard_valid_pint")


def safety(found: Sequence[Sample], outputs: np.ndarray, left: frozenset[str]) -> None:
    """For each head and left-out source: AUROC and average precision where it has both labels, recall at fixed false alarms."""
    heads, labels = np.array([s.head for s in found]), np.array([s.label for s in found])
    own = np.array([s.source for s in found])
    sources = np.array([CONTRASTS.get(s.source, s.source) for s in found])
    missed = np.array([s.source in left or held(s, left) for s in found])
    for number, head in enumerate(HEADS):
        ordinary = outputs[(heads == head) & np.isin(sources, list(MEASURED_ONLY)), number]
        for source in sorted(set(sources[(heads == head) & missed])):
            chosen = (heads == head) & missed & (sources == source)
            y, z = labels[chosen], outputs[chosen, number]
            line = f"{head} {source} ({len(y)})"
            if 0 < y.mean() < 1:
                line += f": AUROC {roc_auc_score(y, z):.3f}, AP {average_precision_score(y, z):.3f}"
            if len(ordinary) and y.any():
                shares = [
                    f"{np.mean(z[y == 1] >= np.quantile(ordinary, 1 - rate)):.3f} at {rate:.0%}" for rate in (0.1, 0.05, 0.01)
                ]
                line += f"; recall {', '.join(shares)} of ordinary prompts flagged"
            told(line)
        for source in LOOKALIKES:
            chosen = (heads == head) & (own == source) & (labels == 0)
            if len(ordinary) and chosen.any():
                point = np.quantile(ordinary, 0.95)
                seen = "left out" if source in left else "in training"
                told(f"    {head}: {np.mean(outputs[chosen, number] < point):.3f} of {source} pass at 5 % ({seen})")


def entities(top: nn.Module, network: Network, tokenizer: Tokenizer, corpus: Corpus) -> None:
    """Span figures on the public set, at several operating points, joined as `holdfast eval` joins them."""
    texts = public(corpus)
    read = [(text, window) for text in texts for window in windows(tokenizer, text.text, 4)]
    states = States(network, [window for _, window in read])
    with torch.no_grad():
        outputs = [
            top(x, padded([shapes(text.text, window.offsets)], 0), mask).numpy()[0]
            for (text, window), (x, mask) in zip(read, (states.batch([i]) for i in range(len(read))), strict=True)
        ]
    for caution in (-1.0, 0.0, 1.0, 2.0):
        found: dict[str, list[Tagged]] = {text.text: [] for text in texts}
        for (text, window), output in zip(read, outputs, strict=True):
            found[text.text] += spans(text.text, window.offsets[1:-1], likeliest(cautious(output[1:-1], caution), TAGS))
        said = [joined(text.text, combined(structured(text.text), found[text.text])) for text in texts]
        truth = [joined(text.text, text.spans) for text in texts]
        told(f"entities of presidio_synth_v2, caution {caution:g}: {spans_found(said, truth)}")
