"""Tiny models in Hugging Face's folder layout, made on the spot: a word list as tokenizer, one layer as model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save
from tokenizers import Tokenizer, models, pre_tokenizers, processors

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "name", "supports")
BAD, NAME, SUPPORTS = 5, 6, 7


def tokenizer(folder: Path) -> None:
    """Words at blanks; what is no word of the list is unknown."""
    found = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    found.pre_tokenizer = pre_tokenizers.Whitespace()
    found.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    found.save(str(folder / "tokenizer.json"))


def weights(pair: bool = False) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Logits by word: shape (words, 2). Padding would be as bad as can be, so that a mask that is ignored shows."""
    table = np.zeros((len(WORDS), 2), np.float32)
    table[:, 0] = 2.0
    table[0, 1] = 9.0
    if pair:
        table[SUPPORTS, 0] = 6.0
        table[:, 1] = 3.0
    else:
        table[BAD, 1] = 6.0
        table[NAME, 1] = 6.0
    return table


def onnx_model(folder: Path, task: str, table: np.ndarray[Any, np.dtype[np.float32]]) -> None:
    """Logits of each token; of a sequence the largest over its tokens, those of padding left out."""
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"]) for name in ("input_ids", "attention_mask")]
    constants = [
        numpy_helper.from_array(table, "table"),
        numpy_helper.from_array(np.array([-1e4], np.float32), "low"),
        numpy_helper.from_array(np.array([2], np.int64), "last"),
        numpy_helper.from_array(np.array([1], np.int64), "tokens"),
        numpy_helper.from_array(np.array([1.0], np.float32), "one"),
    ]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["raw"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["one", "mask"], ["outside"]),
        helper.make_node("Mul", ["outside", "low"], ["penalty"]),
        helper.make_node("Unsqueeze", ["penalty", "last"], ["wide"]),
        helper.make_node("Add", ["raw", "wide"], ["logits" if task == "token" else "each"]),
    ]
    shape: list[str | int] = ["n", "t", 2] if task == "token" else ["n", 2]
    if task == "sequence":
        nodes.append(helper.make_node("ReduceMax", ["each", "tokens"], ["logits"], keepdims=0))
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape)]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    save(model, str(folder / "model.onnx"))


def config(folder: Path, task: str, labels: tuple[str, ...], **fields: object) -> None:
    """As `save_pretrained` writes it, shortened."""
    head = "TokenClassification" if task == "token" else "SequenceClassification"
    plain = {"architectures": [f"TinyFor{head}"], "id2label": {str(i): name for i, name in enumerate(labels)}, "pad_token_id": 0}
    (folder / "config.json").write_text(json.dumps(plain | fields))


def tiny(
    folder: Path, task: str = "sequence", labels: tuple[str, ...] = ("fine", "toxic"), pair: bool = False, **fields: object
) -> Path:
    """A whole folder: `bad` is toxic; `name` is a name; a pair is bad unless its first text says `supports`."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer(folder)
    onnx_model(folder, task, weights(pair))
    config(folder, task, labels, **fields)
    return folder
