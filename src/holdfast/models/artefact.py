"""The artefact of the inline models: an archive of arrays with its description, checked by hash when it is opened."""

import hashlib
import io
import zipfile
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np

from holdfast.core.errors import IntegrityError
from holdfast.models.linear import Head
from holdfast.models.ngrams import BITS, BUCKETS

ARRAYS = "inline.npz"
DESCRIPTION = "inline.json"
VERSION = "2026.11.2"
"""Version of the artefact that this code is for. It is part of the version of every scorer that uses it."""


class HeadDescription(msgspec.Struct, frozen=True, kw_only=True):
    """All of a head but its array."""

    unit: float
    structure: tuple[float, ...]
    intercept: float
    slope: float
    threshold: float
    window: int = 0
    rows: int = 0
    auroc_out_of_fold: float | None = None


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What the artefact is and what it was made of: SHA-256 of the arrays and of each file of data."""

    version: str
    bits: int
    sha256: str
    heads: dict[str, HeadDescription]
    data: dict[str, str] = {}


class Inline(msgspec.Struct, frozen=True):
    """The heads by metric name."""

    version: str
    heads: dict[str, Head]


def opened(arrays: bytes, description: bytes) -> Inline:
    """The heads in an artefact.

    Raises:
        IntegrityError: the arrays are not those that the description is of, or are of another shape.
    """
    try:
        told = msgspec.json.decode(description, type=Description)
    except msgspec.DecodeError as error:
        raise IntegrityError(f"{DESCRIPTION} is no description of an artefact: {error}") from error
    if hashlib.sha256(arrays).hexdigest() != told.sha256:
        raise IntegrityError(f"{ARRAYS} is not the file that {DESCRIPTION} describes: its hash differs")
    if told.version != VERSION:
        raise IntegrityError(f"{ARRAYS} is version {told.version}, this version needs {VERSION}")
    if told.bits != BITS:
        raise IntegrityError(f"{ARRAYS} was made for {told.bits} bits, this version hashes to {BITS}")
    try:
        with np.load(io.BytesIO(arrays), allow_pickle=False) as archive:
            grams = {name: np.ascontiguousarray(archive[name]) for name in told.heads}
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise IntegrityError(f"{ARRAYS} cannot be read: {error}") from error
    heads = {}
    for name, head in told.heads.items():
        if grams[name].shape != (BUCKETS,) or grams[name].dtype != np.int16:
            raise IntegrityError(f"{ARRAYS}: {name} has shape {grams[name].shape} of {grams[name].dtype}")
        heads[name] = Head(name, grams[name], head.unit, head.structure, head.intercept, head.slope, head.threshold, head.window)
    return Inline(told.version, heads)


@cache
def inline() -> Inline:
    """The artefact that is shipped, opened once."""
    folder = files("holdfast.models")
    return opened(folder.joinpath(ARRAYS).read_bytes(), folder.joinpath(DESCRIPTION).read_bytes())
