"""The documents say what is true: their samples run, their links lead somewhere, their commands exist."""

import re
import tomllib
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from holdfast.cli.main import app
from holdfast.ingest.changes import parse_cloudevents
from holdfast.settings import Settings
from scripts.settings_reference import PAGE, page

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text()


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


def test_the_readme_can_be_read_in_five_minutes() -> None:
    assert len(README.splitlines()) <= 120


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_to_a_file(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_that_is_shown_exists(path: Path) -> None:
    shown = re.findall(r"^holdfast ((?:[a-z]+ ?)+)", "\n".join(blocks(path.read_text(), "sh")), re.M)
    for words in {tuple(found.split()[:2]) for found in shown}:
        known = any(
            CliRunner().invoke(app, [*words[:count], "--help"]).exit_code == 0 and count > 0 for count in range(len(words), 0, -1)
        )
        assert known, f"{path.name} shows holdfast {' '.join(words)}"


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^make ([a-z]+)", "\n".join(blocks(README, "sh")), re.M))))
def test_every_make_target_that_is_shown_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M)


def test_the_change_in_the_readme_is_one() -> None:
    (sample,) = blocks(README, "json")
    (change,) = parse_cloudevents({"content-type": "application/cloudevents+json"}, orjson.dumps(orjson.loads(sample)))
    assert (change.kind, change.to_value, change.scope) == ("prompt", "v2", {"route": "/chat"})


def test_the_configuration_in_the_readme_is_valid() -> None:
    (sample,) = blocks(README, "toml")
    assert Settings.model_validate(tomllib.loads(sample)).stores.ledger.startswith("postgresql://")


def test_the_reference_of_settings_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run `make docs`"


def test_every_setting_has_a_sentence() -> None:
    assert "| None |" not in page()


def test_every_decision_has_its_context_and_its_consequences() -> None:
    for path in (ROOT / "docs" / "decisions").glob("*.md"):
        text = path.read_text()
        assert "**Context.**" in text
        assert "**Consequences.**" in text
