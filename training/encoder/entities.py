"""The top that tags personal data: made-up people in templates, ordinary text without any, and a public set of sentences."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from tokenizers import Tokenizer
from torch import Tensor, nn

from holdfast.models.encoder_tags import OUTSIDE
from holdfast.models.encoder_tokens import SHAPES, Window, shapes, windows
from training import written
from training.encoder.fit import BATCH, planned, train
from training.encoder.network import LEARNT, WIDTH, Network, States, absent
from training.inline.data import SEED, Corpus
from training.pii.fill import LABELS, People, Span
from training.pii.templates import PERSONAL, PLAIN
from training.templates import documents, harmless, unsafe
from training.templates.grammar import drawn

KINDS = tuple(sorted({kind for kind in LABELS.values() if kind}))
TAGS = (OUTSIDE, *(f"{part}-{kind}" for kind in KINDS for part in "BI"))
SAME = {"US_DRIVER_LICENSE": "ID"}
EPOCHS, DROPOUT = 3, 0.1
SLOWER = 0.5
EACH = 45
"""Texts of each template."""
NATURAL = 2500
"""Sentences of other data that have neither a digit nor a capital letter within: next to none holds personal data."""

_MARK = re.compile(r"\[\[([A-Z_]+)\|([^\[\]|]+)\]\]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_TELLING = re.compile(r"\d|\S\s+[\"'(]?(?!I\b|I'|C\b|Python|Power|C\+)[A-Z]")


@dataclass(frozen=True)
class Labelled:
    """A text with its spans."""

    text: str
    spans: tuple[Span, ...]
    source: str


def made_up(each: int, seed: int) -> list[Labelled]:
    """Texts of the templates, some of them two in one."""
    people, rng = People(seed), random.Random(seed)
    found = [Labelled(*people.filled(template), "templates_personal") for _ in range(each) for template in PERSONAL]
    found += [Labelled(text, (), "templates_plain") for text in PLAIN for _ in range(6)]
    return found + [_joined(rng.choice(found), rng.choice(found), rng) for _ in range(len(found) // 4)]


def _joined(first: Labelled, second: Labelled, rng: random.Random) -> Labelled:
    between = rng.choice(("\n", " ", ". ", "\n\n"))
    moved = len(first.text) + len(between)
    later = tuple((start + moved, end + moved, kind) for start, end, kind in second.spans)
    return Labelled(first.text + between + second.text, first.spans + later, first.source)


def without(corpus: Corpus, seed: int) -> Iterator[Labelled]:
    """Texts without personal data: templates of other models, and sentences of other data."""
    for templates, slots, count in (
        (harmless.LOOKALIKE, harmless.SLOTS, 500), (harmless.ORDINARY, harmless.SLOTS, 1200),
        (unsafe.HARMLESS, unsafe.SLOTS, 400), (documents.HARMLESS, documents.SLOTS, 300),
    ):  # fmt: skip
        yield from (Labelled(text, (), "templates_harmless") for text in drawn(templates, slots, count, seed))
    rows = [r["response"] for r in corpus.rows("unsafe_output/hh_harmless_pairs")]
    rows += [r["text"] for r in corpus.rows("overblock/cyberseceval_mitre_frr")]
    natural = [s for row in rows for s in _SENTENCE.split(row) if 20 < len(s) < 300 and not _TELLING.search(s)]
    random.Random(seed).shuffle(natural)
    yield from (Labelled(text, (), "natural") for text in natural[:NATURAL])


def by_hand() -> list[Labelled]:
    """Texts written for this project: personal data among product names, and prose full of capitals that holds none."""
    found = [Labelled(text, (), "written_plain") for texts in written.texts("pii_free").values() for text in texts]
    return found + [unmarked(text) for texts in written.texts("pii_marked").values() for text in texts]


def unmarked(marked: str) -> Labelled:
    """A text in which `[[KIND|value]]` marks a span, without its marks.

    Raises:
        ValueError: a kind that no tag is for.
    """
    text, end, spans = "", 0, []
    for match in _MARK.finditer(marked):
        if match[1] not in KINDS:
            raise ValueError(f"{match[1]} is no kind of personal data, in {marked[:80]!r}")
        text += marked[end : match.start()]
        spans.append((len(text), len(text) + len(match[2]), match[1]))
        text, end = text + match[2], match.end()
    return Labelled(text + marked[end:], tuple(spans), "written_marked")


def public(corpus: Corpus) -> list[Labelled]:
    """The sentences of presidio-research."""
    return [
        Labelled(r["text"], tuple((s, e, SAME.get(k, k)) for s, e, k in r["label_detail"]["spans"]), "presidio_synth_v2")
        for r in corpus.rows("pii/presidio_synth_v2")
    ]


def targets(window: Window, spans: Sequence[Span]) -> list[int]:
    """Number of the tag of each token; -100 for the marks, which are not learned."""
    found = []
    for start, end in window.offsets:
        inside = next(((s, k) for s, e, k in spans if start < e and end > s), None)
        tag = OUTSIDE if inside is None else f"{'B' if start <= inside[0] else 'I'}-{inside[1]}"
        found.append(-100 if start == end else TAGS.index(tag))
    return found


class Top(nn.Module):
    """Two layers and a tag for each token; the way a word is written is added to its state."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.layers = network.tops()
        self.notes = nn.Embedding(SHAPES, WIDTH)
        self.out = nn.Linear(WIDTH, len(TAGS))
        nn.init.normal_(self.notes.weight, std=0.02)

    def forward(self, x: Tensor, notes: Tensor, mask: Tensor) -> Tensor:
        """Log-odds of the tags, shape (batch, tokens, tags)."""
        x = x + self.notes(notes)
        for layer in self.layers:
            x = layer(x, absent(mask), DROPOUT)
        return self.out(F.dropout(x, DROPOUT, self.training))


def padded(rows: Sequence[Sequence[int]], fill: int) -> Tensor:
    """Rows as one array."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[fill] * (longest - len(row))] for row in rows])


def trained(network: Network, tokenizer: Tokenizer, corpus: Corpus, left: frozenset[str], begun: Path | None) -> Top:
    """The top: on made-up people first, then on the public set among some of them, unless that is left out.

    `begun`: weights after the first part, kept from an earlier run.
    """
    torch.manual_seed(0)
    top = Top(network)
    personal, plain, own = made_up(EACH, SEED), list(without(corpus, SEED)), by_hand()
    if begun and begun.exists():
        top.load_state_dict(torch.load(begun))
    else:
        fitted(top, network, tokenizer, [*personal, *plain, *own * 3], EPOCHS)
        if begun:
            torch.save(top.state_dict(), begun)
    if "presidio_synth_v2" not in left:
        rng = random.Random(SEED)
        fitted(
            top,
            network,
            tokenizer,
            [*public(corpus) * 2, *rng.sample(personal, 1500), *rng.sample(plain, 800), *own * 2],
            1,
            SLOWER,
        )
    return top.eval()


def fitted(top: Top, network: Network, tokenizer: Tokenizer, texts: Sequence[Labelled], epochs: int, slower: float = 1.0) -> None:
    """Train the top on the first window of each text; `slower`: factor of the rates."""
    read = [(window, text) for text in texts for window in windows(tokenizer, text.text, 1, LEARNT)]
    wanted = [targets(window, text.spans) for window, text in read]
    notes = [shapes(text.text, window.offsets) for window, text in read]
    states = States(network, [window for window, _ in read])
    top.train()

    def loss(chosen: np.ndarray) -> Tensor:
        x, mask = states.batch(chosen)
        said = top(x, padded([notes[i] for i in chosen], 0), mask)
        truth = padded([wanted[i] for i in chosen], -100)
        return F.cross_entropy(said.flatten(0, 1), truth.flatten(), ignore_index=-100, label_smoothing=0.02)

    plan = planned(states.sizes, np.arange(len(read)), epochs, seed=0, batch=BATCH)
    train(top.layers, [*top.notes.parameters(), *top.out.parameters()], [lambda b=b: loss(b) for b in plan], "entities", slower)
