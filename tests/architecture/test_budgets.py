"""Files that a reader can hold in mind, functions that do one thing, names that say what is inside."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "holdfast"
FILES = sorted(SOURCE.rglob("*.py"))
LANDFILLS = ("util", "helper", "common", "misc", "manager")

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 60


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_file_is_within_its_budget(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_FILE_LINES
    for word in LANDFILLS:
        assert word not in path.stem, f"{path.name}: say what is inside"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_function_is_within_its_budget(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            docstring = len((ast.get_docstring(node) or "").splitlines())
            assert lines - docstring <= MAX_FUNCTION_LINES, f"{path}:{node.lineno} {node.name}: {lines} lines"
