"""Texts written for this project, one a line under `## family`; answers as JSON lines. They are data, whatever they say."""

import hashlib
import json
from pathlib import Path

FOLDER = Path(__file__).parent
ANSWERS = "answers.jsonl"


def texts(name: str) -> dict[str, list[str]]:
    """Family → its texts, of `name`.txt; `\\n` in a line is a line break.

    Raises:
        ValueError: a text stands before the first family.
    """
    found: dict[str, list[str]] = {}
    family = ""
    for number, line in enumerate((FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("## "):
            family = line[3:].strip()
        elif line.strip():
            if not family:
                raise ValueError(f"{name}.txt:{number} stands in no family")
            found.setdefault(family, []).append(line.strip().replace("\\n", "\n"))
    return found


def answers() -> list[dict[str, str]]:
    """Exchanges: `q`, `a`, `label` (1: the answer is harmful), `family`."""
    return [json.loads(line) for line in (FOLDER / ANSWERS).read_text(encoding="utf-8").splitlines() if line.strip()]


def fingerprint() -> str:
    """SHA-256 of all texts."""
    files = sorted(path for path in FOLDER.iterdir() if path.suffix in (".txt", ".jsonl"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
