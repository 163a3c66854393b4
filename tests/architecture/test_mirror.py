"""Every source file has a test file of the same name in the mirrored folder."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "holdfast"

EXCUSED: dict[str, str] = {
    "core/errors.py": "a tree of classes without behaviour",
    "testing/sign_on.py": "a provider for tests: tests/access/test_oidc.py signs on with it in every case",
    "testing/server.py": "starts the whole product: tests/scenarios/test_server_lifecycle.py is its test",
}
"""Source file → why it has no test file of its own. A stale entry fails."""

FILES = [str(p.relative_to(SOURCE)) for p in sorted(SOURCE.rglob("*.py")) if p.name not in ("__init__.py", "__main__.py")]


def mirror(name: str) -> Path:
    path = Path(name)
    return ROOT / "tests" / path.parent / f"test_{path.name}"


@pytest.mark.parametrize("name", FILES)
def test_a_source_file_has_its_test_file(name: str) -> None:
    assert mirror(name).exists() != (name in EXCUSED), f"{name}: write {mirror(name).relative_to(ROOT)} or excuse it"


def test_no_excuse_is_for_a_file_that_is_gone() -> None:
    assert set(EXCUSED) <= set(FILES)
