import hashlib
import io

import msgspec
import numpy as np
import pytest

from holdfast.core.errors import IntegrityError
from holdfast.models.artefact import VERSION, Description, HeadDescription, inline, opened
from holdfast.models.ngrams import BITS, BUCKETS

HEAD = HeadDescription(unit=0.5, structure=(1.0,), intercept=-1.0, slope=1.0, threshold=0.0)


def arrays(**found: np.ndarray) -> bytes:
    raw = io.BytesIO()
    np.savez_compressed(raw, **found)  # type: ignore[arg-type]
    return raw.getvalue()


def described(content: bytes, **changes: object) -> bytes:
    told = Description(version=VERSION, bits=BITS, sha256=hashlib.sha256(content).hexdigest(), heads={"x": HEAD})
    return msgspec.json.encode(msgspec.structs.replace(told, **changes))


GOOD = arrays(x=np.zeros(BUCKETS, np.int16))


def test_a_head_is_opened_as_it_was_described() -> None:
    found = opened(GOOD, described(GOOD)).heads["x"]
    assert (found.name, found.unit, found.structure) == ("x", 0.5, (1.0,))


def test_arrays_that_somebody_changed_are_refused() -> None:
    other = arrays(x=np.ones(BUCKETS, np.int16))
    with pytest.raises(IntegrityError, match="hash"):
        opened(other, described(GOOD))


@pytest.mark.parametrize("description", [b"", b"{}", b"[]", b"\xff", b'{"version": 1}'])
def test_a_description_that_is_none_is_refused(description: bytes) -> None:
    with pytest.raises(IntegrityError, match="description"):
        opened(GOOD, description)


def test_an_artefact_of_another_version_is_refused() -> None:
    with pytest.raises(IntegrityError, match=r"version 0\.1"):
        opened(GOOD, described(GOOD, version="0.1"))


def test_an_artefact_for_another_hash_is_refused() -> None:
    with pytest.raises(IntegrityError, match="bits"):
        opened(GOOD, described(GOOD, bits=12))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", GOOD[: len(GOOD) // 2]])
def test_arrays_that_were_cut_are_refused(content: bytes) -> None:
    with pytest.raises(IntegrityError, match="cannot be read"):
        opened(content, described(content))


def test_a_head_without_its_array_is_refused() -> None:
    with pytest.raises(IntegrityError, match="cannot be read"):
        opened(GOOD, described(GOOD, heads={"y": HEAD}))


@pytest.mark.parametrize("array", [np.zeros(3, np.int16), np.zeros(BUCKETS, np.float64)])
def test_an_array_of_another_shape_is_refused(array: np.ndarray) -> None:
    content = arrays(x=array)
    with pytest.raises(IntegrityError, match="shape"):
        opened(content, described(content))


def test_arrays_with_objects_in_them_are_never_unpickled() -> None:
    content = arrays(x=np.array([print], dtype=object))
    with pytest.raises(IntegrityError, match="cannot be read"):
        opened(content, described(content))


def test_the_shipped_artefact_is_whole() -> None:
    found = inline()
    assert set(found.heads) == {"prompt_injection", "document_injection", "unsafe_request", "toxicity", "unsafe_output"}
    assert inline() is found
