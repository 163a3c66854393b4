"""Static embeddings out of an encoder: each piece of its vocabulary is encoded alone, then reduced and weighted.

`python -m training.inline.embeddings MODEL OUT.npz [DIMENSIONS]`, where MODEL is a folder with `model.safetensors` and `vocab.txt`
of a BERT such as all-MiniLM-L6-v2 (Apache-2.0). Frequent pieces count less: weight a / (a + p), p from the rank (Zipf), as in smooth
inverse frequency (Arora et al. 2017).
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import erf

Array = npt.NDArray[np.float32]
HEADS, LAYERS = 12, 6
FIRST_WORD = 1996
"""Row of `the`, the most frequent word of the vocabulary; what comes before are signs, letters and unused rows."""
SMOOTH = 1e-3
TYPES = {"F32": np.float32, "I64": np.int64}


class Encoder:
    """The forward pass of a BERT in NumPy."""

    def __init__(self, path: Path) -> None:
        raw = path.read_bytes()
        (size,) = struct.unpack("<Q", raw[:8])
        head = json.loads(raw[8 : 8 + size])
        head.pop("__metadata__", None)
        self.weights: dict[str, Array] = {
            name: np.frombuffer(raw[8 + size + v["data_offsets"][0] : 8 + size + v["data_offsets"][1]], TYPES[v["dtype"]]).reshape(
                v["shape"]
            )
            for name, v in head.items()
        }

    def _linear(self, x: Array, name: str) -> Array:
        result: Array = x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        return result

    def _norm(self, x: Array, name: str) -> Array:
        mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        result: Array = (x - mean) / np.sqrt(var + 1e-12) * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]
        return result

    def encode(self, ids: npt.NDArray[np.int64]) -> Array:
        """Mean of the last hidden states. `ids` has shape (texts, length), the result (texts, hidden)."""
        texts, length = ids.shape
        w = self.weights
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:length]
        x = self._norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(LAYERS):
            at = f"encoder.layer.{layer}"
            q, k, v = (
                self._linear(x, f"{at}.attention.self.{part}").reshape(texts, length, HEADS, -1).transpose(0, 2, 1, 3)
                for part in ("query", "key", "value")
            )
            attention = q @ k.transpose(0, 1, 3, 2) / np.float32(np.sqrt(q.shape[-1]))
            attention = np.exp(attention - attention.max(-1, keepdims=True))
            attention /= attention.sum(-1, keepdims=True)
            mixed = (attention @ v).transpose(0, 2, 1, 3).reshape(texts, length, -1)
            x = self._norm(x + self._linear(mixed, f"{at}.attention.output.dense"), f"{at}.attention.output.LayerNorm")
            inner = self._linear(x, f"{at}.intermediate.dense")
            inner = (inner * 0.5 * (1 + erf(inner / np.sqrt(2)))).astype(np.float32)
            x = self._norm(x + self._linear(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
        result: Array = x.mean(1)
        return result


def distilled(encoder: Encoder, dimensions: int) -> tuple[npt.NDArray[np.int8], Array]:
    """Table (pieces, dimensions) of int8 and scale (pieces,)."""
    count = encoder.weights["embeddings.word_embeddings.weight"].shape[0]
    parts = []
    for start in range(0, count, 1024):
        ids = np.arange(start, min(count, start + 1024))
        parts.append(encoder.encode(np.stack([np.full_like(ids, 101), ids, np.full_like(ids, 102)], 1)))
    return reduced(np.concatenate(parts), dimensions)


def reduced(vectors: Array, dimensions: int) -> tuple[npt.NDArray[np.int8], Array]:
    """The first principal components, with weights by frequency, as int8."""
    centred = vectors - vectors[FIRST_WORD:].mean(0)
    _, basis = np.linalg.eigh(np.cov(centred[FIRST_WORD:].T))
    low = (centred @ basis[:, ::-1][:, :dimensions]).astype(np.float32)
    low /= np.linalg.norm(low, axis=1, keepdims=True) + 1e-6
    rank = np.maximum(np.arange(len(low)) - FIRST_WORD + 1, 1)
    share = 1 / rank / np.log(len(low))
    peak = np.abs(low).max(1) / 127
    table = np.round(low / peak[:, None]).astype(np.int8)
    return table, (peak * SMOOTH / (SMOOTH + share)).astype(np.float32)


def main(model: Path, out: Path, dimensions: int) -> None:
    """Write the table with its vocabulary."""
    table, scale = distilled(Encoder(model / "model.safetensors"), dimensions)
    words = (model / "vocab.txt").read_text(encoding="utf-8").splitlines()
    vocabulary = np.frombuffer("\n".join(words).encode(), np.uint8)
    np.savez_compressed(out, table=table, scale=scale, vocabulary=vocabulary)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 96)
