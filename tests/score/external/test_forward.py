"""A runtime opens what it can, and says what is missing where it cannot."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from holdfast.core.errors import ConfigurationError
from holdfast.score.external import forward
from holdfast.score.external.forward import onnx_forward, transformers_forward
from holdfast.score.external.huggingface import Windowing, opened
from holdfast.score.external.scorer import Answer
from tests.score.external.tiny_model import tiny, tokenizer

HAS_TRANSFORMERS = all(importlib.util.find_spec(name) for name in ("transformers", "torch"))


def test_token_ids_become_logits(tmp_path: Path) -> None:
    run = onnx_forward(tiny(tmp_path), 1, "sequence")
    ids = np.array([[2, 5, 3], [2, 4, 3]], np.int64)
    logits = run({"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)})
    assert logits.tolist() == [[2.0, 6.0], [2.0, 0.0]]


def test_a_model_in_the_folder_of_an_exporter_is_found(tmp_path: Path) -> None:
    path = tiny(tmp_path) / "model.onnx"
    (tmp_path / "onnx").mkdir()
    path.rename(tmp_path / "onnx" / "model.onnx")
    ids = np.array([[5]], np.int64)
    assert onnx_forward(tmp_path, 1, "sequence")({"input_ids": ids, "attention_mask": ids}).shape == (1, 2)


def test_a_model_that_wants_what_no_tokenizer_gives_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "INPUTS", frozenset({"input_ids"}))
    with pytest.raises(ConfigurationError, match="attention_mask"):
        onnx_forward(tiny(tmp_path), 1, "sequence")


def test_a_library_that_is_not_installed_is_named_with_how_to_get_it() -> None:
    with pytest.raises(ConfigurationError, match=r"no_such_library is not installed: pip install 'holdfast\[x\]'"):
        forward.library("no_such_library", "holdfast[x]")


@pytest.mark.skipif(HAS_TRANSFORMERS, reason="says what happens without transformers; here they are installed")
def test_without_transformers_its_runtime_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"pip install 'holdfast\[transformers\]'"):
        transformers_forward(tiny(tmp_path), 1, "sequence")


@pytest.mark.skipif(not HAS_TRANSFORMERS, reason="needs the optional extra: pip install 'holdfast[transformers]'")
@pytest.mark.parametrize("task", ["sequence", "token"])
def test_a_folder_that_transformers_saved_is_opened_and_run(tmp_path: Path, task: str) -> None:
    transformers = forward.library("transformers", "")
    shape = {"vocab_size": 8, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    configuration = transformers.BertConfig(**shape, max_position_embeddings=32, num_labels=3)
    heads = {"sequence": transformers.BertForSequenceClassification, "token": transformers.BertForTokenClassification}
    heads[task](configuration).save_pretrained(tmp_path)
    run = transformers_forward(tmp_path, 1, task)
    ids = np.array([[2, 5, 3], [2, 4, 3]], np.int64)
    logits = run({"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)})
    assert logits.shape == ((2, 3) if task == "sequence" else (2, 3, 3))
    tokenizer(tmp_path)
    found = opened(tmp_path, "transformers", 1, Windowing(("LABEL_1",), max_tokens=16), pair=False)
    (answer,) = found.ask([{"answer": "good bad " * 20}])
    assert isinstance(answer, Answer)
    assert (len(answer.spans) > 0) == (task == "token" and answer.value >= 0.5)


@pytest.mark.skipif(not HAS_TRANSFORMERS, reason="needs the optional extra: pip install 'holdfast[transformers]'")
def test_pickled_weights_are_not_opened(tmp_path: Path) -> None:
    tiny(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        transformers_forward(tmp_path, 1, "sequence")
