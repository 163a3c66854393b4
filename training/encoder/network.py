"""The encoder in torch: BERT's layers as all-MiniLM-L6-v2 has them, read from its published weights."""

import copy
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from safetensors.torch import load_file
from torch import Tensor, nn

from holdfast.models.encoder_tokens import Window

WIDTH, HEADS, INNER, DEPTH = 384, 12, 1536, 6
FROZEN = 4
"""Layers of the trunk, which stay as they were published; the others are trained anew for each top."""
LEARNT = 128
"""Tokens of a text that a top learns from, its first ones: more than are read together later, since time is no matter here."""

_PARTS = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value", "o": "attention.output.dense",
    "n1": "attention.output.LayerNorm", "i": "intermediate.dense", "u": "output.dense", "n2": "output.LayerNorm",
}  # fmt: skip


class Layer(nn.Module):
    """One transformer layer, normalised after each part."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.i, self.u = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.n1, self.n2 = nn.LayerNorm(WIDTH, eps=1e-12), nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, x: Tensor, bias: Tensor, dropout: float) -> Tensor:
        """`x`: shape (batch, tokens, WIDTH); `bias` is added to the attention, shape (batch, 1, 1, tokens)."""
        batch, tokens, _ = x.shape
        parts = [part(x).view(batch, tokens, HEADS, WIDTH // HEADS).transpose(1, 2) for part in (self.q, self.k, self.v)]
        heard = F.scaled_dot_product_attention(*parts, attn_mask=bias).transpose(1, 2).reshape(batch, tokens, WIDTH)
        x = self.n1(x + F.dropout(self.o(heard), dropout, self.training))
        return self.n2(x + F.dropout(self.u(F.gelu(self.i(x))), dropout, self.training))


def absent(mask: Tensor) -> Tensor:
    """What attention adds where `mask` (batch, tokens) is 0."""
    return ((1.0 - mask) * -1e9)[:, None, None, :]


class Network(nn.Module):
    """Embeddings and all layers."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places, self.types = nn.Embedding(30522, WIDTH), nn.Embedding(512, WIDTH), nn.Embedding(2, WIDTH)
        self.n = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(DEPTH))

    def trunk(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """States behind the frozen layers."""
        x = self.n(self.words(ids) + self.places(torch.arange(ids.shape[1])) + self.types(types))
        for layer in list(self.layers)[:FROZEN]:
            x = layer(x, absent(mask), 0.0)
        return x

    def tops(self) -> nn.ModuleList:
        """A copy of the layers above the trunk, to be trained."""
        return nn.ModuleList(copy.deepcopy(layer) for layer in list(self.layers)[FROZEN:])


def started(folder: Path) -> Network:
    """The network with its published weights: `model.safetensors` in `folder`."""
    told = load_file(folder / "model.safetensors")
    names = {
        "words.weight": "embeddings.word_embeddings.weight", "places.weight": "embeddings.position_embeddings.weight",
        "types.weight": "embeddings.token_type_embeddings.weight", "n.weight": "embeddings.LayerNorm.weight",
        "n.bias": "embeddings.LayerNorm.bias",
    }  # fmt: skip
    for i in range(DEPTH):
        for own, theirs in _PARTS.items():
            names |= {f"layers.{i}.{own}.{kind}": f"encoder.layer.{i}.{theirs}.{kind}" for kind in ("weight", "bias")}
    network = Network()
    network.load_state_dict({own: told[theirs] for own, theirs in names.items()})
    return network.eval()


class States:
    """States of many windows behind the trunk, kept as halves: they are the same in every epoch and every fold.

    `folder`: where they are kept for the next run, under a name made of what they are of; nowhere by default.
    """

    def __init__(self, network: Network, windows: Sequence[Window], folder: Path | None = None) -> None:
        self.sizes = np.array([len(w.ids) for w in windows])
        self.ends = np.concatenate([[0], np.cumsum(self.sizes)])
        told = hashlib.sha256(repr([(w.ids, w.types) for w in windows]).encode()).hexdigest()[:16]
        path = folder / f"states_{told}.npy" if folder else None
        if path and path.exists():
            self.kept = np.load(path, mmap_mode="r")
            return
        self.kept = np.zeros((int(self.ends[-1]), WIDTH), np.float16)
        self._fill(network, windows)
        if path:
            np.save(path, self.kept)

    def _fill(self, network: Network, windows: Sequence[Window]) -> None:
        order = np.argsort(self.sizes, kind="stable")
        with torch.no_grad():
            for start in range(0, len(order), 32):
                chosen = order[start : start + 32]
                shape = (len(chosen), int(self.sizes[chosen].max()))
                ids, types, mask = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long), torch.zeros(shape)
                for row, i in enumerate(chosen):
                    size = self.sizes[i]
                    ids[row, :size], types[row, :size] = torch.tensor(windows[i].ids), torch.tensor(windows[i].types)
                    mask[row, :size] = 1.0
                found = network.trunk(ids, types, mask).half().numpy()
                for row, i in enumerate(chosen):
                    self.kept[self.ends[i] : self.ends[i + 1]] = found[row, : self.sizes[i]]

    def batch(self, chosen: Sequence[int]) -> tuple[Tensor, Tensor]:
        """States (batch, tokens, WIDTH) and mask (batch, tokens) of some windows."""
        longest = int(self.sizes[list(chosen)].max())
        x, mask = np.zeros((len(chosen), longest, WIDTH), np.float32), np.zeros((len(chosen), longest), np.float32)
        for row, i in enumerate(chosen):
            x[row, : self.sizes[i]] = self.kept[self.ends[i] : self.ends[i + 1]]
            mask[row, : self.sizes[i]] = 1.0
        return torch.from_numpy(x), torch.from_numpy(mask)
