"""What the product imports is what it asks for: a machine with the run-time lock and nothing else can run it."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SHARED_NAMESPACES = {
    "google.protobuf": "protobuf",
    "google.rpc": "googleapis-common-protos",
    "opentelemetry.proto": "opentelemetry-proto",
}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=~! ]", name)[0]).lower()


def imported() -> dict[str, Path]:
    found = {}
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            found.update({name: path for name in names})
    return found


def distributions(module: str) -> set[str]:
    for prefix, name in SHARED_NAMESPACES.items():
        if module.startswith(prefix):
            return {name}
    return {normalised(name) for name in packages_distributions().get(module.split(".")[0], [])}


def test_every_import_of_the_product_is_a_declared_dependency() -> None:
    declared = {normalised(name) for name in PROJECT["dependencies"]}
    for module, path in imported().items():
        if module.split(".")[0] in {*sys.stdlib_module_names, "holdfast"}:
            continue
        assert distributions(module) & declared, f"{path.relative_to(ROOT)} imports {module}: declare it in pyproject.toml"


def test_the_run_lock_is_part_of_the_development_lock() -> None:
    run, dev = (
        set(re.findall(r"^([a-z0-9-]+==\S+)", (ROOT / f"requirements/{name}.lock").read_text(), re.M)) for name in ("run", "dev")
    )
    assert run
    assert run <= dev


def test_the_locks_pin_by_hash_and_name_no_index() -> None:
    for name in ("run", "dev"):
        text = (ROOT / f"requirements/{name}.lock").read_text()
        assert "://" not in text
        assert len(re.findall(r"^[a-z0-9-]+==", text, re.M)) <= text.count("--hash=sha256:")
