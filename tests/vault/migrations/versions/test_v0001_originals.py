from importlib import import_module

import pytest

VERSION = import_module("holdfast.vault.migrations.versions.v0001_originals")


def test_it_is_the_first_and_is_not_taken_back() -> None:
    assert VERSION.down_revision is None
    with pytest.raises(NotImplementedError, match="delete its file"):
        VERSION.downgrade()
