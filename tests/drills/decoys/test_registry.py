import pytest

from holdfast.core.errors import NotFoundError
from holdfast.drills.decoys.registry import DECOYS, find_decoy


def test_there_are_many_kinds_of_decoys() -> None:
    assert len(DECOYS) >= 15


def test_an_unknown_decoy_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotFoundError, match="surge"):
        find_decoy("gremlins")
