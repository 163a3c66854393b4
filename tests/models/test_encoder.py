"""The encoder: what it refuses to open, and what it promises of what it says."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import msgspec
import numpy as np
import pytest

from holdfast.core.errors import IntegrityError
from holdfast.models import encoder as encoder_module
from holdfast.models.encoder import DESCRIPTION, Encoder, EncoderDescription, encoder
from holdfast.models.encoder_tokens import windows

FOLDER = files("holdfast.models")
TOLD = msgspec.json.decode(FOLDER.joinpath(DESCRIPTION).read_bytes(), type=EncoderDescription)
MOST_BYTES = 40_000_000


def contents() -> dict[str, bytes]:
    return {name: FOLDER.joinpath(name).read_bytes() for name in TOLD.files}


def read(text: str) -> list[np.ndarray]:
    asked = encoder()
    return asked.run(windows(asked.tokenizer, text, 4), "safety")


def test_all_artefacts_together_stay_small() -> None:
    assert sum(len(c) for c in contents().values()) + len(FOLDER.joinpath("inline.npz").read_bytes()) <= MOST_BYTES


@pytest.mark.parametrize("name", sorted(TOLD.files))
def test_a_file_that_somebody_changed_is_refused(name: str) -> None:
    with pytest.raises(IntegrityError, match=name):
        Encoder(TOLD, contents() | {name: b"other"})


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(IntegrityError, match="hash"):
        Encoder(TOLD, {})


def test_an_artefact_of_another_version_is_refused() -> None:
    with pytest.raises(IntegrityError, match=r"version 0\.1"):
        Encoder(msgspec.structs.replace(TOLD, version="0.1"), contents())


def test_files_that_are_described_but_are_no_model_are_refused() -> None:
    with pytest.raises(IntegrityError, match="cannot be read"):
        Encoder(msgspec.structs.replace(TOLD, files={}), {name: b"{}" for name in TOLD.files})


def test_every_head_is_calibrated() -> None:
    assert set(TOLD.heads) == set(TOLD.tops["safety"])
    assert all(c.slope > 0 for c in TOLD.heads.values())


def test_what_is_said_of_a_text_does_not_depend_on_the_texts_beside_it() -> None:
    asked = encoder()
    texts = ["Good morning!", "How do I bake bread? " * 40, "The meeting is at noon, bring the report."]
    together = asked.run([w for t in texts for w in windows(asked.tokenizer, t, 1)], "safety")
    for text, said in zip(texts, together, strict=True):
        np.testing.assert_array_equal(said, read(text)[0])


def test_the_same_text_is_judged_the_same_twice() -> None:
    np.testing.assert_array_equal(read("Good morning!")[0], read("Good morning!")[0])


def test_tags_are_given_for_every_token() -> None:
    asked = encoder()
    found = windows(asked.tokenizer, "Anna lives in York.", 1)
    (said,) = asked.run(found, "entities", [[0] * len(found[0].ids)])
    assert said.shape == (len(found[0].ids), len(asked.outputs("entities")))


def test_nothing_asked_is_nothing_said() -> None:
    assert encoder().run([], "safety") == []


def test_an_unknown_top_is_an_error() -> None:
    asked = encoder()
    with pytest.raises(KeyError):
        asked.run(windows(asked.tokenizer, "word", 1), "weather")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that takes the place of the shipped one."""
    monkeypatch.setattr(encoder_module, "files", lambda _: tmp_path)
    encoder_module._shipped.cache_clear()
    yield tmp_path
    encoder_module._shipped.cache_clear()


@pytest.mark.parametrize("content", [None, b"", b"{}", b"no json"], ids=["missing", "empty", "of another form", "no JSON"])
def test_an_encoder_that_cannot_be_opened_says_so_each_time_and_is_read_once(elsewhere: Path, content: bytes | None) -> None:
    description = elsewhere / encoder_module.DESCRIPTION
    if content is not None:
        description.write_bytes(content)
    with pytest.raises(IntegrityError) as first:
        encoder()
    description.unlink(missing_ok=True)
    with pytest.raises(IntegrityError) as second:
        encoder()
    assert str(first.value) == str(second.value)
    assert first.value is not second.value
    assert encoder_module._shipped.cache_info().misses == 1
