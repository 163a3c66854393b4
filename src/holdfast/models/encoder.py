"""The encoder of the stream scorers: a trunk that all tasks share, and for each kind of task two layers and heads of its own.

Started from all-MiniLM-L6-v2 (Apache-2.0), six layers of width 384; weights of eight bits; run by ONNX Runtime on one thread.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from holdfast.core.errors import IntegrityError
from holdfast.models.encoder_tokens import Window

VERSION = "2026.11.3"
"""Version of the artefact that this code is for. It is part of the version of every scorer that uses it."""
DESCRIPTION = "encoder.json"
VOCABULARY = "encoder_tokens.json"
TABLES = "encoder_tables.npz"
TRUNK = "trunk"

Floats = npt.NDArray[np.float32]


class Calibration(msgspec.Struct, frozen=True):
    """Log-odds of a failure = `slope` · (output - `threshold`), so that probability 0.5 is the operating point."""

    slope: float
    threshold: float


class EncoderDescription(msgspec.Struct, frozen=True, kw_only=True):
    """What the artefact is and what it was made of.

    Args:
        files: name → SHA-256. tops: top → its outputs in order: heads, or tags.
        heads: head → calibration. data: hash of each file of data and of each template that it was trained on.
    """

    version: str
    files: dict[str, str]
    tops: dict[str, tuple[str, ...]]
    heads: dict[str, Calibration] = {}
    data: dict[str, str] = {}


def graph_name(part: str) -> str:
    """File name of the trunk or of a top."""
    return f"encoder_{part}.onnx"


class Encoder:
    """The opened artefact. Thread-safe: a session may run in several threads at once."""

    def __init__(self, description: EncoderDescription, contents: Mapping[str, bytes]) -> None:
        """From the artefact's files.

        Raises:
            IntegrityError: a file is missing or is not the one that is described, or cannot be read.
        """
        if description.version != VERSION:
            raise IntegrityError(f"the encoder is version {description.version}, this version needs {VERSION}")
        for name, expected in description.files.items():
            if hashlib.sha256(contents.get(name, b"")).hexdigest() != expected:
                raise IntegrityError(f"{name} is not the file that {DESCRIPTION} describes: its hash differs")
        self.description = description
        try:
            self.tokenizer: Tokenizer = Tokenizer.from_str(contents[VOCABULARY].decode())
            with np.load(io.BytesIO(contents[TABLES]), allow_pickle=False) as archive:
                self._tables = {name: np.ascontiguousarray(archive[name]) for name in archive.files}
            self._sessions = {part: _session(contents[graph_name(part)]) for part in (TRUNK, *description.tops)}
        except Exception as error:
            raise IntegrityError(f"the encoder cannot be read: {error}") from error

    def run(self, windows: Sequence[Window], top: str, notes: Sequence[Sequence[int]] = ()) -> list[Floats]:
        """What `top` says of each window, in order: shape (outputs,) for heads, (tokens, outputs) for tags.

        One window at a time: activations become eight bits by the largest of them, so a window must not stand beside another that
        would change what is said of it; and together they would take nine tenths of the time only.
        `notes`: for each token of each window the number of a note that `top` reads beside it, where it reads any.

        Raises:
            KeyError: no such top.
        """
        if not notes:
            return [self._said(window, top, ()) for window in windows]
        return [self._said(window, top, told) for window, told in zip(windows, notes, strict=True)]

    def _said(self, window: Window, top: str, notes: Sequence[int]) -> Floats:
        session = self._sessions[top]
        (states,) = self._sessions[TRUNK].run(None, {"x": self._embedded(window)[None]})
        if notes:
            states[0] += self._tables[f"notes_{top}"][np.array(notes)]
        said: Floats = session.run(None, {"x": states})[0][0]
        return said

    def _embedded(self, window: Window) -> Floats:
        """Word, place and text embeddings added up, shape (tokens, width)."""
        tables, ids = self._tables, np.array(window.ids)
        embedded: Floats = tables["words"][ids] * tables["scales"][ids, None]
        embedded += tables["places"][: len(ids)]
        embedded += tables["types"][np.array(window.types)] if 1 in window.types else tables["types"][0]
        return embedded

    def outputs(self, top: str) -> tuple[str, ...]:
        """Names of what `top` puts out."""
        return self.description.tops[top]

    def log_odds(self, head: str, output: float) -> float:
        """Calibrated log-odds of the failure that `head` knows; above 0 is beyond its operating point."""
        calibration = self.description.heads[head]
        return calibration.slope * (output - calibration.threshold)


def _session(graph: bytes) -> Any:
    # Imported here: whoever asks for no second opinion does not wait for the library.
    ort = import_module("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Buffers that wait for one another cost two hundredths of the time, and a window needs few (measured with ONNX Runtime 1.32).
    options.enable_mem_reuse = False
    # The fused kernel takes ten times as long as the two nodes that it stands for (measured with ONNX Runtime 1.32).
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"])


def encoder() -> Encoder:
    """The artefact that is shipped, opened once. Where that failed, it is not tried again: it takes a quarter of a second.

    Raises:
        IntegrityError: it is damaged or missing.
    """
    found = _shipped()
    if isinstance(found, str):
        raise IntegrityError(found)
    return found


@cache
def _shipped() -> Encoder | str:
    """The artefact, or what is wrong with it."""
    folder = files("holdfast.models")
    try:
        description = msgspec.json.decode(folder.joinpath(DESCRIPTION).read_bytes(), type=EncoderDescription)
        return Encoder(description, {name: folder.joinpath(name).read_bytes() for name in description.files})
    except (OSError, msgspec.DecodeError, IntegrityError) as error:
        return str(error) if isinstance(error, IntegrityError) else f"the encoder cannot be read: {error}"
