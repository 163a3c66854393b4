"""The top of the safety heads: toxicity, unsafe requests and answers, attacks on the prompt and in documents share its layers."""

import html
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from tokenizers import Tokenizer
from torch import Tensor, nn

from holdfast.models.encoder_tokens import Window, pair, windows
from holdfast.score.language import in_english
from holdfast.score.opinion import ANSWER, PROMPT, prepared
from holdfast.score.pieces import Piece
from training.encoder.fit import BATCH, in_batches, planned, train
from training.encoder.network import LEARNT, WIDTH, Network, States, absent
from training.inline import data
from training.inline.__main__ import last_turn
from training.inline.data import Corpus, Example

HEADS = ("toxicity", "unsafe_request", "unsafe_output", "prompt_injection", "document_injection")
MOST = {
    "davidson": 1500, "hatemoji_build": 2000, "templates_abusive": 900, "templates_fair": 900, "templates_unsafe": 1000,
    "templates_safe": 1000, "templates_ordinary": 500, "templates_lookalike": 600, "templates_attack": 1100,
    "presidio_synth_v2": 300, "bipia_questions": 200, "summedits_contexts": 200, "halueval_queries": 1200,
    "hh_harmless_pairs": 1300, "written_abusive": 3000, "written_fair": 3000, "written_unsafe": 3000, "written_safe": 3000,
    "written_attack": 3000, "written_lookalike": 3000, "written_answers": 3000,
    "plain_answers": 3000, "bipia": 1200, "written_document_attack": 3000, "written_document": 3000,
}  # fmt: skip
"""Texts of a source and label that a head learns from, at most; 500 of any other."""
EPOCHS, DROPOUT = 2, 0.1
DOUBT = {"hh_harmless_pairs": 0.25}
"""Share of the labels of a source that are taken for wrong: 0.03 unless named."""
MEASURED_ONLY = frozenset({"halueval_queries"})
"""Not to be trained on: its licence is non-commercial."""
LONGEST = 450
"""Characters of a text that are learned from."""


@dataclass(frozen=True)
class Sample:
    """One window of one head."""

    head: str
    window: Window
    label: int
    weight: float
    source: str
    family: str
    text: str


def samples(tokenizer: Tokenizer, corpus: Corpus) -> list[Sample]:
    """The windows of all heads: the first one of each text, a question with its answer for `unsafe_output`."""
    measured = corpus.texts("unsafe_prompt/halueval_queries")
    sources = {
        "toxicity": data.insulted(corpus), "unsafe_request": data.requested(corpus) + measured,
        "prompt_injection": data.direct(corpus) + measured,
        "document_injection": data.documented(corpus, LONGEST),
    }  # fmt: skip
    found = []
    for head, examples in sources.items():
        for e in thinned([e for e in examples if in_english(Piece(e.text))]):
            read = windows(tokenizer, prepared(html.unescape(e.text))[:LONGEST], 1, LEARNT)
            found += [Sample(head, w, e.label, e.weight, e.source, e.family, e.text) for w in read]
    for e in thinned(data.answered(corpus)):
        window = pair(tokenizer, prepared(last_turn(e.prompt)[:PROMPT]), prepared(e.text), ANSWER)
        found.append(Sample("unsafe_output", window, e.label, e.weight, e.source, e.group, e.text))
    return found


def thinned(examples: Sequence[Example]) -> list[Example]:
    """At most so many of a source and label as `MOST` says."""
    kinds: dict[tuple[str, int], list[Example]] = defaultdict(list)
    for e in examples:
        kinds[e.source, e.label].append(e)
    found = []
    for (source, _), members in kinds.items():
        random.Random(0).shuffle(members)
        found += members[: MOST.get(source, 500)]
    return found


class Top(nn.Module):
    """Two layers; for each head a query that says where to look, and a line through what is found there and the mean."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.layers = network.tops()
        self.queries = nn.Parameter(torch.zeros(len(HEADS), WIDTH))
        self.out = nn.Parameter(torch.randn(len(HEADS), 2 * WIDTH) * 0.02)
        self.shift = nn.Parameter(torch.zeros(len(HEADS)))

    def fresh(self) -> list[nn.Parameter]:
        """What was not in the published network."""
        return [self.queries, self.out, self.shift]

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Log-odds, shape (batch, heads)."""
        for layer in self.layers:
            x = layer(x, absent(mask), DROPOUT)
        looked = torch.softmax((x @ self.queries.T) * 0.05 + (mask[..., None] - 1.0) * 1e9, dim=1)
        mean = (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        seen = torch.cat([looked.transpose(1, 2) @ x, mean[:, None, :].expand(-1, len(HEADS), -1)], dim=-1)
        return (F.dropout(seen, DROPOUT, self.training) * self.out).sum(-1) + self.shift


def weights(found: Sequence[Sample], chosen: np.ndarray) -> np.ndarray:
    """Weights that give both labels of each head the same sum."""
    result = np.array([s.weight for s in found], np.float32)
    heads, labels = np.array([s.head for s in found]), np.array([s.label for s in found])
    inside = np.zeros(len(found), bool)
    inside[chosen] = True
    for head in HEADS:
        for label in (0, 1):
            group = inside & (heads == head) & (labels == label)
            result[group] *= (inside & (heads == head)).sum() / 2 / max(result[group].sum(), 1e-9)
    return np.minimum(result, 4.0)


def trained(network: Network, found: Sequence[Sample], states: States, left: frozenset[str]) -> Top:
    """The top, trained on everything but the sources (or, for answers, groups) that are left out."""
    torch.manual_seed(0)
    learned = np.array([i for i, s in enumerate(found) if s.source not in left | MEASURED_ONLY and not held(s, left)])
    weight = torch.from_numpy(weights(found, learned))
    top, steps = Top(network).train(), []
    for number, head in enumerate(HEADS):
        own = learned[[found[i].head == head for i in learned]]
        truth = torch.tensor([doubtful(s) for s in found])

        def loss(chosen: np.ndarray, number: int = number, truth: Tensor = truth) -> Tensor:
            said = top(*states.batch(chosen))[:, number]
            return (F.binary_cross_entropy_with_logits(said, truth[chosen], reduction="none") * weight[chosen]).mean()

        steps += [lambda b=b, loss=loss: loss(b) for b in planned(states.sizes, own, EPOCHS, seed=number, batch=BATCH)]
    random.Random(0).shuffle(steps)
    train(top.layers, top.fresh(), steps, "safety")
    return top.eval()


def doubtful(sample: Sample) -> float:
    """The label as a probability."""
    doubt = DOUBT.get(sample.source, 0.03)
    return sample.label * (1 - 2 * doubt) + doubt


def held(sample: Sample, left: frozenset[str]) -> bool:
    """Preferences are left out by pair, one in four, whenever anything is left out."""
    return bool(left) and sample.source == "hh_harmless_pairs" and int(sample.family) % 4 == 0


def said(top: Top, states: States) -> np.ndarray:
    """Log-odds of every window and head."""
    result = np.zeros((len(states.sizes), len(HEADS)), np.float32)
    order = np.argsort(states.sizes)
    with torch.no_grad():
        for places in in_batches(len(order)):
            chosen = order[places.start : places.stop]
            result[chosen] = top(*states.batch(chosen)).numpy()
    return result


def saved(folder: Path, left: frozenset[str], outputs: np.ndarray) -> None:
    """Keep the log-odds of a top that some sources were left out of."""
    np.save(folder / f"{'_'.join(sorted(left))}.npy", outputs)


def kept(folder: Path, left: frozenset[str]) -> np.ndarray:
    """What `saved` kept, shape (windows, heads)."""
    return np.load(folder / f"{'_'.join(sorted(left))}.npy")
