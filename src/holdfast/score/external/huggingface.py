"""`HuggingFace`: a sequence- or token-classification model of the user's, from a local folder."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from holdfast.core.errors import ConfigurationError, UnavailableError
from holdfast.score.external.forward import FORWARDS, Forward, Ids, library
from holdfast.score.external.scorer import MAX_SPANS, Answer
from holdfast.score.external.selection import Texts
from holdfast.score.external.windows import Cutter, Encoding, Piece
from holdfast.score.text import valid

Floats = npt.NDArray[np.float64]
WINDOWS_TOGETHER = 16
SPARE = 4
SPAN_FROM = 0.5
TAGS = ("B-", "I-")
MULTI_LABEL = "multi_label_classification"


class _Config(msgspec.Struct):
    architectures: list[str] = []
    id2label: dict[str, str] = {}
    num_labels: int | None = None
    problem_type: str | None = None
    pad_token_id: int | None = None


@dataclass(frozen=True)
class Windowing:
    """How a model is read: windows of `max_tokens`, of which `max_windows` at most, and what counts over them."""

    failure_labels: tuple[str, ...]
    max_tokens: int = 512
    max_windows: int = 16
    over_windows: Literal["", "max", "min"] = ""


@dataclass(frozen=True)
class HuggingFace:
    """One text, or a pair of which the first is cut into windows, through a tokenizer and a model."""

    cutter: Cutter = field(repr=False)
    forward: Forward = field(repr=False)
    task: str
    columns: tuple[int, ...]
    independent: bool
    windowing: Windowing
    labels: int
    pad: int = 0

    def close(self) -> None:
        """A model holds memory only."""

    def ask(self, texts: Sequence[Texts]) -> list[Answer | Exception]:
        """One answer each."""
        return [self._one([valid(text) for text in shown.values()]) for shown in texts]

    def _one(self, texts: list[str]) -> Answer | Exception:
        try:
            pieces, cut = self.cutter.cut(texts)
            windows = [window for piece in pieces for window in piece.windows]
            logits = np.concatenate([self._logits(windows[at : at + WINDOWS_TOGETHER]) for at in _starts(windows)])
            if not np.isfinite(logits).all():
                raise UnavailableError("the model answered with numbers that are none")
            # What any part of the context supports is supported; a text with one bad stretch is bad.
            best = (self.windowing.over_windows or ("max" if len(texts) == 1 else "min")) == "min"
            failing = _by_piece(pieces, self._failing(logits))
            if self.task == "token":
                return _of_tokens(pieces, failing, len(texts) - 1, best, cut)
            return _of_sequences(failing, len(texts) == 1, best, cut)
        except Exception as error:  # noqa: BLE001 - the runner's edge: tokenizers and runtimes raise types of their own
            return error

    def _logits(self, windows: list[Encoding]) -> Floats:
        """Of windows that are padded to one length, those of padding tokens left at zero; shape (windows, …, labels)."""
        arrays = {
            "input_ids": _padded([w.ids for w in windows], self.pad),
            "attention_mask": _padded([w.attention_mask for w in windows], 0),
            "token_type_ids": _padded([w.type_ids for w in windows], 0),
        }
        found = self.forward(arrays)
        axes = arrays["input_ids"].shape[: 1 if self.task == "sequence" else 2]
        if found.shape != (*axes, self.labels):
            raise UnavailableError(
                f"the model's output has shape {found.shape}, a {self.task} classifier's is {(*axes, self.labels)}"
            )
        if self.task == "sequence":
            return found
        wide = np.zeros((len(windows), self.windowing.max_tokens, found.shape[-1]))
        wide[:, : found.shape[1]] = found[:, : self.windowing.max_tokens]
        return wide

    def _failing(self, logits: Floats) -> Floats:
        """Probability of any failure label; the last axis is gone."""
        if self.independent or logits.shape[-1] == 1:
            each = 1.0 / (1.0 + np.exp(-np.clip(logits[..., self.columns], -60, 60)))
            return np.asarray(each.max(axis=-1), np.float64)
        shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
        whole = shifted / shifted.sum(axis=-1, keepdims=True)
        return np.asarray(np.clip(whole[..., self.columns].sum(axis=-1), 0.0, 1.0), np.float64)


def _by_piece(pieces: list[Piece], failing: Floats) -> list[Floats]:
    """The rows of each piece's windows."""
    edges = np.cumsum([len(piece.windows) for piece in pieces])
    return np.split(failing, edges[:-1])


def _of_sequences(failing: list[Floats], alone: bool, best: bool, cut: str) -> Answer:
    if alone:
        every = np.concatenate(failing)
        return Answer(value=float(every.min() if best else every.max()), why=cut)
    return Answer(value=max(float(rows.min() if best else rows.max()) for rows in failing), why=cut)


def _of_tokens(pieces: list[Piece], failing: list[Floats], sequence: int, best: bool, cut: str) -> Answer:
    """The worst token, and the stretches of failing ones in the last text, in its characters."""
    spans, worst = list[tuple[int, int]](), 0.0
    for piece, rows in zip(pieces, failing, strict=True):
        told = np.array([_of_sequence(window, row, sequence) for window, row in zip(piece.windows, rows, strict=True)])
        found = (told.min(axis=0) if best else told.max(axis=0)).tolist()
        worst = max([worst, *found])
        offsets = _of_sequence(piece.windows[0], piece.windows[0].offsets, sequence)
        for bad, run in groupby(zip(found, offsets, strict=True), key=lambda token: token[0] >= SPAN_FROM):
            tokens = [offset for _, offset in run]
            if bad:
                spans.append((piece.start + tokens[0][0], piece.start + tokens[-1][1]))
    merged = _merged(sorted(spans))[:MAX_SPANS]
    return Answer(value=worst, why=cut, spans=tuple((start, end, "labelled by the model") for start, end in merged))


def _of_sequence(window: Encoding, values: Sequence[Any], sequence: int) -> list[Any]:
    """Of values by token those of the tokens of one text."""
    return [value for value, of in zip(values, window.sequence_ids, strict=False) if of == sequence]


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in spans:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _padded(rows: list[list[int]], pad: int) -> Ids:
    longest = max(map(len, rows))
    return np.array([[*row, *[pad] * (longest - len(row))] for row in rows], np.int64)


def _starts(windows: list[Encoding]) -> range:
    return range(0, len(windows), WINDOWS_TOGETHER)


def opened(folder: Path, runtime: str, threads: int, windowing: Windowing, pair: bool) -> HuggingFace:
    """The model in a folder, ready to be asked.

    Raises:
        ConfigurationError: a file is missing or broken, a failure label is none of the model's, or a library is not installed.
    """
    config = _config(folder / "config.json")
    task = "token" if any("TokenClassification" in name for name in config.architectures) else "sequence"
    forward = FORWARDS[runtime](folder, threads, task)
    columns = _columns(config, windowing.failure_labels, folder)
    model = HuggingFace(
        cutter=_cutter(folder / "tokenizer.json", windowing, pair),
        forward=forward,
        task=task,
        columns=columns,
        independent=config.problem_type == MULTI_LABEL,
        windowing=windowing,
        labels=len(config.id2label),
        pad=config.pad_token_id or 0,
    )
    (answer,) = model.ask([{"context": "a", "answer": "b"} if pair else {"answer": "b"}])
    if isinstance(answer, Exception):
        raise ConfigurationError(f"{folder}: cannot be run: {answer}")
    return model


def _config(path: Path) -> _Config:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Config)
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigurationError(f"{path}: no configuration of a model: {error}") from None


def _columns(config: _Config, labels: tuple[str, ...], folder: Path) -> tuple[int, ...]:
    """Positions of the failure labels; a tag such as B-PER or I-PER is also meant by its bare name."""
    known = {int(i): name for i, name in config.id2label.items()}
    found = tuple(i for i, name in sorted(known.items()) if name in labels or (name[:2] in TAGS and name[2:] in labels))
    named = {known[i] for i in found} | {known[i][2:] for i in found}
    missing = sorted(set(labels) - named)
    if missing:
        raise ConfigurationError(f"{folder}: the model has no label {missing[0]!r}; it has {', '.join(known.values()) or 'none'}")
    return found


def _cutter(path: Path, windowing: Windowing, pair: bool) -> Cutter:
    reader = library("tokenizers", "holdfast").Tokenizer
    try:
        whole, half = (reader.from_file(str(path)) for _ in range(2))
    except Exception as error:  # noqa: BLE001 - the library raises bare `Exception`
        raise ConfigurationError(f"{path}: no tokenizer: {error}") from None
    strategy: dict[str, Any] = {"strategy": "only_first"} if pair else {}
    whole.enable_truncation(windowing.max_tokens, stride=windowing.max_tokens // 4, **strategy)
    # A piece that is cut out may make a token or two more than it did within its text: less than half leaves room for them.
    half.enable_truncation(max(windowing.max_tokens // 2 - SPARE, 1), stride=0)
    for tokenizer in (whole, half):
        tokenizer.no_padding()
    return Cutter(whole, half, windowing.max_windows)
