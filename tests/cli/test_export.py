"""`holdfast export …`."""

import json
from pathlib import Path

import msgspec
import pytest
import yaml
from typer.testing import CliRunner

from holdfast.cli.main import app
from holdfast.core.events import fold
from holdfast.ledger.chain import Anchor
from holdfast.report.export import bundle
from tests.report.conftest import events
from tests.report.test_export import entries


def run(*words: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, ["export", *words])
    return found.exit_code, found.stdout, found.stderr


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    path = tmp_path / "inc_1.json"
    made = bundle(fold(events()), {}, entries(), Anchor(9, "f" * 64), {"a" * 32: {"text": "hello"}})
    path.write_bytes(msgspec.json.encode(made))
    return path


def test_both_files_go_to_stdout_or_into_a_file(tmp_path: Path) -> None:
    code, text, _ = run("grafana")
    assert (code, json.loads(text)["title"]) == (0, "Holdfast")
    path = tmp_path / "rules.yaml"
    assert run("prometheus", "--out", str(path))[:2] == (0, "")
    assert yaml.safe_load(path.read_text())["groups"][0]["name"] == "holdfast"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "rules.yaml"
    code, _, told = run("prometheus", "--out", str(path))
    assert (code, "rules.yaml" in told.replace("\n", "")) == (1, True)


def test_a_bundle_as_it_was_exported_holds(exported: Path) -> None:
    code, text, _ = run("check", str(exported))
    assert (code, text.strip()) == (0, "every hash holds")


def test_a_bundle_that_was_changed_is_found_out(exported: Path) -> None:
    exported.write_text(exported.read_text().replace("hello", "hallo"))
    code, _, told = run("check", str(exported))
    assert (code, "evidence" in told) == (1, True)


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b'"\xff"', b"[" * 100_000, b'{"holdfast_bundle": 7}'], ids=range(6))
def test_what_is_no_bundle_is_unusable(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.json"
    if content is not None:
        path.write_bytes(content)
    assert run("check", str(path))[0] == 2
