"""Imports go one way: a package may import only packages of a lower rank, and itself."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "holdfast"

RANK = {
    "core": 1,
    "telemetry": 2,
    "ledger": 2,
    "control": 2,
    "models": 2,
    "context": 2,
    "ingest": 3,
    "score": 3,
    "detect": 3,
    "correlate": 3,
    "diagnose": 3,
    "decide": 3,
    "act": 3,
    "verify": 3,
    "report": 3,
    "access": 3,
    "vault": 3,
    "gateway": 4,
    "agent": 4,
    "drills": 4,
    "scoring": 4,
    "pipeline": 5,
    "late_scoring": 5,
    "probe_judging": 5,
    "calibration": 6,
    "replay": 6,
    "evaluation": 6,
    "evaluation_figures": 5,
    "evaluation_spans": 5.5,
    "live": 6,
    "api": 7,
    "console": 7.5,
    "app": 8,
    "settings": 8,
    "testing": 9,
    "drilling": 10,
    "cli": 11,
    "__main__": 12,
}
SAME_RANK_ALLOWED = {("app", "settings")}
"""The composition root reads the settings."""

FILES = sorted(SOURCE.rglob("*.py"))


def part_of(module: str) -> str:
    return module.split(".")[1] if module.startswith("holdfast.") else ""


def imported(tree: ast.AST) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            base = [node.module] if node.module != "holdfast" else [f"holdfast.{a.name}" for a in node.names]
            found += [(name, node.lineno) for name in base]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_module_imports_only_lower_ranks(path: Path) -> None:
    own = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    if own == "__init__":
        return
    assert own in RANK, f"{own} has no rank: add it to the table and to ARCHITECTURE.md"
    for module, line in imported(ast.parse(path.read_text())):
        part = part_of(module)
        if not part or part == own or part.startswith("__") or (own, part) in SAME_RANK_ALLOWED:
            continue
        assert RANK[part] < RANK[own], f"{path}:{line}: {own} may not import {part}"


PURE = {"core", "detect", "correlate", "diagnose"}
EFFECTS = {"asyncio", "httpx", "sqlite3", "time", "socket", "subprocess", "threading", "sqlalchemy", "clickhouse_connect"}
CLOCKS = {"core/clock.py"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_stages_that_decide_do_no_input_or_output(path: Path) -> None:
    relative = path.relative_to(SOURCE)
    if relative.parts[0] not in PURE or str(relative) in CLOCKS:
        return
    for module, line in imported(ast.parse(path.read_text())):
        assert module.split(".")[0] not in EFFECTS, f"{path}:{line}: {relative.parts[0]} decides, it may not import {module}"
