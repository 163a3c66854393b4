"""Trains the encoder: `python -m training.encoder START [DATA]`, START the folder of all-MiniLM-L6-v2's weights.

About half an hour on a core, fixed seeds. `--left SOURCES` leaves sources out and prints how well they are judged; then nothing
is written.
"""

import argparse
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer

import holdfast.models.encoder
from training.encoder import entities, measure, pack, safety, support
from training.encoder.network import States, started
from training.inline.__main__ import own_hashes
from training.inline.data import Corpus

HASHES = "data.json"
TOPS = ("safety", "entities", "support")


def main() -> None:
    """Train the tops that are asked for, then write the artefact, or measure."""
    parser = argparse.ArgumentParser(prog="python -m training.encoder", description=__doc__)
    parser.add_argument("start", type=Path)
    parser.add_argument("data", type=Path, nargs="?", default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path(holdfast.models.encoder.__file__).parent)
    parser.add_argument("--work", type=Path, required=True, help="where states and trained tops are kept for the next run")
    parser.add_argument("--only", choices=TOPS)
    parser.add_argument("--left", default="", help="sources to leave out, with commas between")
    options = parser.parse_args()
    torch.set_num_threads(1)
    left = frozenset(filter(None, options.left.split(",")))
    network, corpus = started(options.start), Corpus(options.data)
    tokenizer = Tokenizer.from_file(str(options.start / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    for name in (options.only,) if options.only else TOPS:
        if name == "safety":
            found = safety.samples(tokenizer, corpus)
            states = States(network, [s.window for s in found], options.work)
            top = safety.trained(network, found, states, left)
            if left:
                outputs = safety.said(top, states)
                safety.saved(options.work, left, outputs)
                measure.safety(found, outputs, left)
        elif name == "entities":
            top = entities.trained(network, tokenizer, corpus, left, options.work / "begun_entities.pt")
            if left:
                measure.entities(top, network, tokenizer, corpus)
        else:
            top = support.trained(network, tokenizer, corpus, left, options.work)
        torch.save(top.state_dict(), options.work / (f"left_{name}.pt" if left else f"top_{name}.pt"))
    if left:
        return
    data = read_hashes(options.work) | corpus.hashes | own_hashes()
    (options.work / HASHES).write_text(json.dumps(data))
    if all((options.work / f"top_{name}.pt").exists() for name in TOPS):
        pack.write(options.out, options.work, options.start, network, dict(sorted(data.items())))


def read_hashes(work: Path) -> dict[str, str]:
    """Hashes of the data that earlier runs of the same work read: tops may be trained one at a time."""
    path = work / HASHES
    return json.loads(path.read_text()) if path.exists() else {}


if __name__ == "__main__":
    main()
