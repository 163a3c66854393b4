"""A classifier from a folder: its labels, its windows, its spans; and a failure where it cannot say."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from holdfast.core.errors import ConfigurationError, UnavailableError
from holdfast.score.external.huggingface import HuggingFace, Windowing, opened
from holdfast.score.external.scorer import Answer
from tests.score.external.tiny_model import config, tiny


def model(folder: Path, pair: bool = False, **windowing: Any) -> HuggingFace:
    plain: dict[str, Any] = {"failure_labels": ("toxic",), "max_tokens": 16}
    return opened(folder, "onnx", 1, Windowing(**plain | windowing), pair)


def answer(found: HuggingFace, *texts: str) -> Answer:
    (told,) = found.ask([{str(i): text for i, text in enumerate(texts)}])
    assert isinstance(told, Answer), told
    return told


def test_the_failure_label_decides(tmp_path: Path) -> None:
    toxic = model(tiny(tmp_path))
    assert answer(toxic, "good good").value < 0.2
    assert answer(toxic, "good bad").value > 0.9


def test_short_and_long_texts_together_are_padded_without_harm(tmp_path: Path) -> None:
    toxic = model(tiny(tmp_path))
    alone = answer(toxic, "good").value
    together = answer(toxic, "good " * 30).value
    assert alone == pytest.approx(together)


def test_labels_that_are_independent_are_read_as_such(tmp_path: Path) -> None:
    toxic = model(tiny(tmp_path, problem_type="multi_label_classification"))
    assert answer(toxic, "bad").value == pytest.approx(1 / (1 + np.exp(-6.0)))


def test_several_failure_labels_are_added_up(tmp_path: Path) -> None:
    assert answer(model(tiny(tmp_path), failure_labels=("fine", "toxic")), "good").value == pytest.approx(1.0)


def test_a_long_text_is_as_bad_as_its_worst_window(tmp_path: Path) -> None:
    toxic = model(tiny(tmp_path))
    assert answer(toxic, "good " * 100 + "bad").value > 0.9
    assert answer(model(tmp_path, over_windows="min"), "good " * 100 + "bad").value < 0.2


def test_what_is_not_read_is_said(tmp_path: Path) -> None:
    told = answer(model(tiny(tmp_path), max_windows=2), "good " * 100 + "bad")
    assert told.value < 0.2
    assert told.why.startswith("(2 of ")


def test_an_answer_is_supported_when_any_window_of_its_context_supports_it(tmp_path: Path) -> None:
    unfaithful = model(tiny(tmp_path, pair=True), pair=True)
    assert answer(unfaithful, "good " * 100 + "supports", "good").value < 0.2
    assert answer(unfaithful, "good " * 100, "good").value > 0.7


def test_tokens_are_found_where_they_are(tmp_path: Path) -> None:
    names = model(tiny(tmp_path, task="token", labels=("O", "B-PER")), failure_labels=("PER",))
    told = answer(names, "good name name good name")
    assert told.value > 0.9
    assert [(start, end) for start, end, _ in told.spans] == [(5, 14), (20, 24)]


def test_tokens_in_later_windows_are_found_once_and_where_they_are(tmp_path: Path) -> None:
    names = model(tiny(tmp_path, task="token", labels=("O", "B-PER")), failure_labels=("PER",))
    text = "good " * 40 + "name" + " good" * 40
    assert [(start, end) for start, end, _ in answer(names, text).spans] == [(200, 204)]


def test_a_text_without_names_has_none(tmp_path: Path) -> None:
    names = model(tiny(tmp_path, task="token", labels=("O", "B-PER")), failure_labels=("PER",))
    told = answer(names, "good good")
    assert told.value < 0.2
    assert told.spans == ()


@pytest.mark.parametrize(
    "text",
    ["", " ", "\x00", "\ud800", "\u200b", "🙂" * 1000, "a" * 20_000, "word " * 4_000, "بد " * 1000],
    ids=["empty", "blank", "NUL", "surrogate", "zero width", "emoji", "one long word", "many words", "another script"],
)
def test_any_text_has_an_answer(tmp_path: Path, text: str) -> None:
    assert 0 <= answer(model(tiny(tmp_path)), text).value <= 1


def test_a_long_answer_is_judged_piece_by_piece_and_one_unsupported_piece_is_enough(tmp_path: Path) -> None:
    names = model(tiny(tmp_path, pair=True), pair=True)
    assert answer(names, "supports", "good " * 100).value < 0.2
    assert answer(names, "good", "good " * 100).value > 0.7


def test_tokens_of_a_long_answer_are_found_where_they_are(tmp_path: Path) -> None:
    names = model(tiny(tmp_path, task="token", labels=("O", "B-PER")), pair=True, failure_labels=("PER",))
    told = answer(names, "good " * 50, "good " * 40 + "name" + " good" * 40)
    assert [(start, end) for start, end, _ in told.spans] == [(200, 204)]


def test_a_token_counts_only_where_every_window_of_the_context_agrees(tmp_path: Path) -> None:
    found = model(tiny(tmp_path, task="token", labels=("O", "B-PER")), pair=True, failure_labels=("PER",))

    def doubtful(arrays: dict[str, Any]) -> Any:
        logits = found.forward(arrays)
        logits[1:] = 0.0
        return logits

    unsure = replace(found, forward=doubtful)
    assert answer(unsure, "good " * 300, "name").value <= 0.5


def test_numbers_that_are_none_are_a_failure(tmp_path: Path) -> None:
    found = model(tiny(tmp_path))
    broken = replace(found, forward=lambda arrays: np.full((len(arrays["input_ids"]), 2), np.nan))
    (told,) = broken.ask([{"answer": "good"}])
    assert isinstance(told, UnavailableError)


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "model.onnx"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    (tiny(tmp_path) / missing).unlink()
    with pytest.raises(ConfigurationError, match=missing):
        model(tmp_path)


@pytest.mark.parametrize("broken", ["config.json", "tokenizer.json", "model.onnx"])
def test_a_broken_file_is_named(tmp_path: Path, broken: str) -> None:
    (tiny(tmp_path) / broken).write_bytes(b"\x00 nothing")
    with pytest.raises(ConfigurationError, match=broken):
        model(tmp_path)


def test_a_label_that_the_model_lacks_is_named_with_those_that_it_has(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no label 'hate'; it has fine, toxic"):
        model(tiny(tmp_path), failure_labels=("hate",))


@pytest.mark.parametrize(
    ("task", "labels"),
    [("token", ("fine", "toxic", "third")), ("sequence", ("fine", "toxic", "third"))],
    ids=["token", "sequence"],
)
def test_a_model_whose_output_is_not_what_its_configuration_says_is_refused(
    tmp_path: Path, task: str, labels: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigurationError, match="cannot be run: the model's output has shape"):
        model(tiny(tmp_path, task=task, labels=labels))


def test_a_model_that_is_no_classifier_is_refused(tmp_path: Path) -> None:
    tiny(tmp_path, task="token")
    config(tmp_path, "sequence", ("fine", "toxic"))
    with pytest.raises(ConfigurationError, match="a sequence classifier's is"):
        model(tmp_path)
