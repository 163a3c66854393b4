"""Writes the artefact: embeddings as arrays of eight bits, trunk and tops as graphs, and what it was all made of."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import torch

from holdfast.models.encoder import DESCRIPTION, TABLES, TRUNK, VERSION, VOCABULARY, Calibration, EncoderDescription, graph_name
from training.encoder.entities import TAGS
from training.encoder.export import Array, Graph
from training.encoder.network import DEPTH, FROZEN, WIDTH, Network
from training.encoder.safety import HEADS

STATES = (1, "t", WIDTH)
OUTPUTS = {"safety": HEADS, "entities": TAGS, "support": ("unsupported",)}
"""Top → its outputs."""
POINTS = {
    "toxicity": Calibration(slope=1.0, threshold=0.0),
    "unsafe_request": Calibration(slope=1.0, threshold=0.0),
    "unsafe_output": Calibration(slope=1.0, threshold=0.0),
    "prompt_injection": Calibration(slope=1.0, threshold=0.0),
    "document_injection": Calibration(slope=1.0, threshold=0.0),
}
"""Slope and operating point of each head, from sources that the top had not seen (`--left`)."""
PLACES = 256
INPUTS = {"x": STATES}
"""One window at a time: see `holdfast.models.encoder.Encoder.run`."""


def arrays(module: torch.nn.Module) -> dict[str, Array]:
    """Weights by name."""
    return {name: value.detach().numpy() for name, value in module.state_dict().items()}


def tables(weights: Mapping[str, Array], notes: Mapping[str, Array]) -> bytes:
    """The embeddings: words in eight bits with a scale each; places, types and notes as they are."""
    words = weights["words.weight"]
    scales = np.maximum(np.abs(words).max(axis=1), 1e-9) / 127.0
    found = {
        "words": np.round(words / scales[:, None]).astype(np.int8),
        "scales": scales.astype(np.float32),
        "places": weights["places.weight"][:PLACES],
        "types": weights["types.weight"],
    }
    raw = io.BytesIO()
    np.savez_compressed(raw, **found, **{f"notes_{top}": table for top, table in notes.items()})
    return raw.getvalue()


def trunk(path: Path, weights: Mapping[str, Array]) -> None:
    """The frozen layers, from embeddings to states."""
    graph = Graph()
    x = graph.normalised("x", weights, "n")
    for i in range(FROZEN):
        x = graph.layer(x, weights, f"layers.{i}")
    graph.add("Identity", x, name="y")
    graph.save(path, INPUTS, {"y": STATES})


def layered(graph: Graph, weights: Mapping[str, Array]) -> str:
    """The layers of a top."""
    x = "x"
    for i in range(DEPTH - FROZEN):
        x = graph.layer(x, weights, f"layers.{i}")
    return x


def tagging(path: Path, weights: Mapping[str, Array], count: int) -> None:
    """A top with `count` outputs for each token."""
    graph = Graph()
    found = graph.head(layered(graph, weights), weights["out.weight"])
    graph.add("Add", found, graph.constant(weights["out.bias"]), name="y")
    graph.save(path, INPUTS, {"y": (1, "t", count)})


def judging(path: Path, weights: Mapping[str, Array]) -> None:
    """The top of the safety heads: one output a head.

    A line through what a head looked at and through the mean is the same as what it looked at, and the mean, of lines through
    each token: one product over the tokens gives them all.
    """
    graph = Graph()
    lines = np.concatenate([weights["queries"] * np.float32(0.05), weights["out"][:, :WIDTH], weights["out"][:, WIDTH:]])
    likeness, seen, beside = graph.split(graph.head(layered(graph, weights), lines), 3)
    tokens = graph.constant(np.array([1], np.int64))
    looked = graph.add("Mul", graph.add("Softmax", likeness, axis=1), seen)
    told = graph.add("ReduceSum", looked, tokens, keepdims=0)
    mean = graph.add("ReduceMean", beside, tokens, keepdims=0)
    graph.add("Add", graph.add("Add", told, mean), graph.constant(weights["shift"]), name="y")
    graph.save(path, INPUTS, {"y": (1, len(HEADS))})


def vocabulary(start: Path) -> bytes:
    """The tokenizer without padding and truncation: the windows see to that."""
    told = json.loads((start / "tokenizer.json").read_text(encoding="utf-8"))
    told["padding"] = told["truncation"] = None
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def write(out: Path, work: Path, start: Path, network: Network, data: Mapping[str, str]) -> None:
    """All files, the description last: what it describes is there when it is. The tops are taken from `work`."""
    weights = arrays(network)
    tops = {name: {k: v.numpy() for k, v in torch.load(work / f"top_{name}.pt").items()} for name in OUTPUTS}
    notes = {name: told["notes.weight"] for name, told in tops.items() if "notes.weight" in told}
    trunk(work / graph_name(TRUNK), weights)
    for name, told in tops.items():
        if name == "safety":
            judging(work / graph_name(name), told)
        else:
            tagging(work / graph_name(name), told, len(OUTPUTS[name]))
    contents = {graph_name(name): (work / graph_name(name)).read_bytes() for name in (TRUNK, *OUTPUTS)}
    contents |= {TABLES: tables(weights, notes), VOCABULARY: vocabulary(start)}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())}
    told = EncoderDescription(version=VERSION, files=hashes, tops=OUTPUTS, heads=POINTS, data=dict(data))
    contents[DESCRIPTION] = msgspec.json.format(msgspec.json.encode(told)) + b"\n"
    for name, content in contents.items():
        partial = out / f"{name}.partial"
        partial.write_bytes(content)
        partial.replace(out / name)
