"""Commands run in a folder of their own, with a ledger that holds one incident."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from holdfast.cli.main import app
from holdfast.ledger.store import Ledger
from tests.report.conftest import events


class Shell:
    """Runs commands and keeps stdout and stderr apart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._runner = CliRunner()

    def run(self, *words: str, code: int = 0, stdin: bytes = b"") -> Result:
        result = self._runner.invoke(app, list(words), input=stdin)
        assert result.exit_code == code, result.output
        return result


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return Shell(tmp_path)


@pytest.fixture
def with_incident(shell: Shell) -> Shell:
    (shell.folder / ".holdfast").mkdir()
    with Ledger(f"sqlite:///{shell.folder}/.holdfast/ledger.sqlite") as ledger:
        ledger.append(events())
    return shell
