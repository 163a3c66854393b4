import hashlib

from holdfast.control.snapshot import Snapshot
from holdfast.control.validate import problems
from holdfast.testing.control import EXAMPLE_KEY, example_desired


def test_the_example_is_sound() -> None:
    assert problems(Snapshot(version=1, created_ns=1, desired=example_desired("http://127.0.0.1:4000/v1"))) == []


def test_the_example_key_opens_the_example() -> None:
    assert example_desired().keys[0].sha256 == hashlib.sha256(EXAMPLE_KEY.encode()).hexdigest()
