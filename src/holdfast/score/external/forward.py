"""How a model is run: a folder in, a function from token ids to logits out. Each runtime is imported only where it is used."""

import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from holdfast.core.errors import ConfigurationError

Ids = npt.NDArray[np.int64]
Forward = Callable[[dict[str, Ids]], npt.NDArray[np.float64]]
"""Arrays of shape (windows, tokens) by the tokenizer's names (input_ids, attention_mask, token_type_ids) → logits of shape
(windows, labels), or (windows, tokens, labels) for a token classifier."""

INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})
MODEL_FILES = ("model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx")


def onnx_forward(folder: Path, threads: int, task: str) -> Forward:
    """Of an ONNX export, on the CPU. The task needs no telling: the graph has its head.

    Raises:
        ConfigurationError: onnxruntime is not installed, or the folder has no model that it can open.
    """
    runtime = library("onnxruntime", "holdfast")
    path = next((folder / name for name in MODEL_FILES if (folder / name).is_file()), None)
    if path is None:
        raise ConfigurationError(f"{folder}: no ONNX model; one of {', '.join(MODEL_FILES)} is needed")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    try:
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - the runtime has an exception type for each of its status codes, without a root
        raise ConfigurationError(f"{path}: cannot be opened: {error}") from None
    wanted = [node.name for node in session.get_inputs()]
    strange = sorted(set(wanted) - INPUTS)
    if strange:
        raise ConfigurationError(f"{path}: wants the input {strange[0]!r}; known are {', '.join(sorted(INPUTS))}")

    def forward(arrays: dict[str, Ids]) -> npt.NDArray[np.float64]:
        fed = {name: arrays[name] for name in wanted}
        return np.asarray(session.run(None, fed)[0], np.float64)

    return forward


def transformers_forward(folder: Path, threads: int, task: str) -> Forward:
    """Of a folder that `save_pretrained` wrote. Safetensors only, no code from the folder, nothing from the network.

    Raises:
        ConfigurationError: transformers or torch is not installed, or the folder has no such model.
    """
    transformers, torch = library("transformers", "holdfast[transformers]"), library("torch", "holdfast[transformers]")
    heads = {"sequence": "AutoModelForSequenceClassification", "token": "AutoModelForTokenClassification"}
    try:
        model = getattr(transformers, heads[task]).from_pretrained(str(folder), local_files_only=True, use_safetensors=True)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{folder}: cannot be opened: {error}") from None
    model.eval()
    torch.set_num_threads(threads)
    wanted = INPUTS & set(inspect.signature(model.forward).parameters)

    def forward(arrays: dict[str, Ids]) -> npt.NDArray[np.float64]:
        fed = {name: torch.from_numpy(array) for name, array in arrays.items() if name in wanted}
        with torch.inference_mode():
            return np.asarray(model(**fed).logits.double().numpy(), np.float64)

    return forward


FORWARDS: dict[str, Callable[[Path, int, str], Forward]] = {"onnx": onnx_forward, "transformers": transformers_forward}
"""Runtime → how it opens a folder with so many threads, for the task `sequence` or `token`."""


def library(name: str, extra: str) -> Any:
    """A library that only users of such models need.

    Raises:
        ConfigurationError: it is not installed; says how to.
    """
    try:
        return import_module(name)
    except ImportError:
        raise ConfigurationError(f"{name} is not installed: pip install '{extra}'") from None
