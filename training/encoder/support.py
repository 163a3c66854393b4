"""The top that marks what an answer says and its sources do not: by word where edits tell the word, else by answer."""

import difflib
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from sklearn.metrics import roc_auc_score
from tokenizers import Tokenizer
from torch import Tensor, nn

from holdfast.models.encoder_tokens import Window
from holdfast.score.support import NOTES, Sources, notes, parts, window
from training.encoder.entities import padded
from training.encoder.fit import planned, told, train
from training.encoder.network import WIDTH, Network, States, absent
from training.inline.data import Corpus

EPOCHS, DROPOUT, BATCH = 2, 0.1, 24
MORE = 3.0
"""Weight of an unsupported word; there are few."""
UNKNOWN = -1

_TOKEN = re.compile(r"\w+(?:['’.,-]\w+)*|[^\w\s]")
Span = tuple[int, int]


@dataclass(frozen=True)
class Row:
    """An answer with its context. `spans`: what is unsupported; None where only `label` is known."""

    context: str
    answer: str
    label: int
    source: str
    domain: str
    spans: tuple[Span, ...] | None


@dataclass(frozen=True)
class Sample:
    """A part of an answer: its window, its notes, a target for each token (-1 unknown), and whether anything is unsupported."""

    row: int
    window: Window
    notes: list[int]
    wanted: list[int]
    label: int


def rows(corpus: Corpus) -> list[Row]:
    """SummEdits with the words that were edited, and BEGIN."""
    found: list[Row] = []
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for r in corpus.rows("faithfulness/summedits"):
        groups[r["context"]].append(r)
    for context, members in groups.items():
        good = [r["response"] for r in members if not r["label"]]
        for r in members:
            spans = edited(r["response"], good) if r["label"] else ()
            found.append(Row(context, r["response"], int(r["label"]), "summedits", r["label_detail"]["domain"], spans))
    for r in corpus.rows("faithfulness/begin"):
        domain = f"begin_{r['label_detail']['domain']}"
        found.append(Row(r["context"], r["response"], int(r["label"]), "begin", domain, None if r["label"] else ()))
    return found


def edited(answer: str, good: list[str]) -> tuple[Span, ...] | None:
    """The words in which `answer` differs from the most similar consistent answer; None where too much differs."""
    places = [(m.start(), m.end()) for m in _TOKEN.finditer(answer)]
    told_words = [answer[s:e].lower() for s, e in places]
    matches = [difflib.SequenceMatcher(None, [t.lower() for t in _TOKEN.findall(g)], told_words, autojunk=False) for g in good]
    if not matches or not places:
        return None
    found: list[Span] = []
    for kind, _, _, first, last in max(matches, key=lambda m: m.ratio()).get_opcodes():
        if kind == "delete":
            near = min(first, len(places) - 1)
            found.append((places[max(near - 1, 0)][0], places[near][1]))
        elif kind != "equal":
            found.append((places[first][0], places[last - 1][1]))
    return tuple(found) if found and sum(e - s for s, e in found) <= 0.5 * len(answer) else None


def samples(tokenizer: Tokenizer, given: list[Row]) -> list[Sample]:
    """Every part of every answer."""
    known: dict[str, Sources] = {}
    found = []
    for number, row in enumerate(given):
        sources = known.setdefault(row.context, Sources([row.context]))
        cut = parts(sources, row.answer)
        for part in cut:
            read = window(tokenizer, part)
            wanted = [_wanted(row, part.start, side, place) for side, place in zip(read.types, read.offsets, strict=True)]
            label = row.label if row.spans is None else int(1 in wanted)
            if row.spans is not None or len(cut) == 1:
                found.append(Sample(number, read, notes(sources, part, read), wanted, label))
    return found


def _wanted(row: Row, moved: int, side: int, place: Span) -> int:
    if not side or place[0] == place[1] or row.spans is None:
        return UNKNOWN
    return int(any(place[0] + moved < end and place[1] + moved > start for start, end in row.spans))


class Top(nn.Module):
    """Two layers and one output for each token: the log-odds that the sources do not support it."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.layers = network.tops()
        self.notes = nn.Embedding(NOTES, WIDTH)
        self.out = nn.Linear(WIDTH, 1)
        nn.init.normal_(self.notes.weight, std=0.05)
        nn.init.constant_(self.out.bias, -3.0)
        with torch.no_grad():
            self.notes.weight[0] = 0.0

    def forward(self, x: Tensor, beside: Tensor, mask: Tensor) -> Tensor:
        """Shape (batch, tokens)."""
        x = x + self.notes(beside)
        for layer in self.layers:
            x = layer(x, absent(mask), DROPOUT)
        return self.out(F.dropout(x, DROPOUT, self.training))[..., 0]


def pooled(said: Tensor, inside: Tensor) -> Tensor:
    """Mean of the three most doubtful tokens of each answer."""
    return said.masked_fill(inside == 0, -30.0).topk(min(3, said.shape[1]), -1).values.mean(-1)


def trained(network: Network, tokenizer: Tokenizer, corpus: Corpus, left: frozenset[str], work: Path | None) -> Top:
    """The top, trained on everything but the domains that are left out, which are measured."""
    torch.manual_seed(0)
    given = rows(corpus)
    found = samples(tokenizer, given)
    states, top = States(network, [s.window for s in found], work), Top(network).train()
    missed = np.array([given[s.row].domain in left or given[s.row].source in left for s in found])
    learned, labels = np.flatnonzero(~missed), np.array([s.label for s in found])
    share = labels[learned].mean()
    weight = torch.from_numpy(np.where(labels == 1, 0.5 / share, 0.5 / (1 - share)).astype(np.float32))
    inside = [[int(side == 1 and e > s) for side, (s, e) in zip(x.window.types, x.window.offsets, strict=True)] for x in found]

    def judged(chosen: np.ndarray) -> tuple[Tensor, Tensor]:
        x, mask = states.batch(chosen)
        return top(x, padded([found[i].notes for i in chosen], 0), mask), padded([inside[i] for i in chosen], 0)

    def loss(chosen: np.ndarray) -> Tensor:
        said, own = judged(chosen)
        wanted = padded([found[i].wanted for i in chosen], UNKNOWN)
        known = (wanted != UNKNOWN).float()
        words = F.binary_cross_entropy_with_logits(said, wanted.clamp(0).float(), reduction="none", pos_weight=torch.tensor(MORE))
        truth = torch.tensor([found[i].label * 0.94 + 0.03 for i in chosen])
        whole = F.binary_cross_entropy_with_logits(pooled(said, own), truth, reduction="none") * weight[chosen]
        return (words * known).sum() / known.sum().clamp(1) + whole.mean()

    plan = planned(states.sizes, learned, EPOCHS, seed=0, batch=BATCH)
    train(top.layers, [*top.notes.parameters(), *top.out.parameters()], [lambda b=b: loss(b) for b in plan], "support")
    top.eval()
    if left:
        with torch.no_grad():
            scores = {int(i): float(pooled(*judged(np.array([i])))[0]) for i in np.flatnonzero(missed)}
        measured(given, found, scores)
    return top


def measured(given: list[Row], found: list[Sample], scores: dict[int, float]) -> None:
    """AUROC of whole answers, domain by domain: an answer is as bad as its worst part."""
    worst: dict[int, float] = {}
    for i, score in scores.items():
        worst[found[i].row] = max(worst.get(found[i].row, -99.0), score)
    for domain in sorted({given[r].domain for r in worst}):
        chosen = [r for r in worst if given[r].domain == domain]
        area = roc_auc_score([given[r].label for r in chosen], [worst[r] for r in chosen])
        told(f"support {domain} ({len(chosen)}): AUROC {area:.3f}")
