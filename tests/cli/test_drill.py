"""`holdfast drill` through the program."""

from pathlib import Path

import msgspec
import pytest

from holdfast.cli import drill as command
from holdfast.drills.scorecard import Scorecard
from holdfast.drills.scorecard import scorecard as card_of
from tests.cli.conftest import Shell
from tests.drills.build import incident, outcome
from tests.drills.test_scorecard import ALARM, found


def test_it_prints_one_json_document_with_every_outcome(shell: Shell) -> None:
    printed = shell.run("drill", "healthy", "surge", "--calls", "150", "--json").stdout
    card = msgspec.json.decode(printed, type=Scorecard)
    assert [o.drill for o in card.outcomes] == ["healthy", "surge"]
    assert {q.name for q in card.quiet} >= {"healthy", "decoys"}


def test_seeds_may_be_several(shell: Shell) -> None:
    printed = shell.run("drill", "healthy", "--seed", "4", "--seed", "5", "--calls", "120", "--json").stdout
    assert [o.seed for o in msgspec.json.decode(printed, type=Scorecard).outcomes] == [4, 5]


def test_scores_may_be_kept_and_taken_again(shell: Shell, tmp_path: Path) -> None:
    words = ["drill", "surge", "--calls", "120", "--json"]
    printed = [shell.run(*words, option, str(tmp_path / "kept")).stdout for option in ("--keep-scores", "--from-scores")]
    first, again = (msgspec.json.decode(text, type=Scorecard).outcomes for text in printed)
    assert [msgspec.structs.replace(o, seconds=0.0) for o in first] == [msgspec.structs.replace(o, seconds=0.0) for o in again]


def test_scores_that_were_not_kept_are_asked_for(shell: Shell, tmp_path: Path) -> None:
    assert "--keep-scores" in shell.run("drill", "surge", "--from-scores", str(tmp_path), code=2).stderr


def test_an_unknown_drill_is_refused_with_those_that_exist(shell: Shell) -> None:
    assert "wrong_embedder" in shell.run("drill", "wrong_embeder", code=2).stderr


@pytest.mark.parametrize("words", [["--calls", "5"], ["--jobs", "0"], ["--seed", "-1"]])
def test_numbers_out_of_range_are_refused(shell: Shell, words: list[str]) -> None:
    shell.run("drill", "healthy", *words, code=2)


def test_the_table_shows_parts_faults_quiet_days_and_what_went_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    command.show(card_of([found(), outcome("agent_loop"), outcome("", false_alarms=(ALARM,)), found(harmed=2)], 0.2))
    printed = capsys.readouterr().out
    for word in ("stale_index", "missed", "agent_loop", "false", "healthy", "hardly any harm"):
        assert word in printed


def test_only_healthy_drills_make_no_table_of_faults(capsys: pytest.CaptureFixture[str]) -> None:
    command.show(card_of([outcome("")], 0.2))
    printed = capsys.readouterr().out
    assert "conventional:" not in printed
    assert "healthy" in printed


def test_titles_from_telemetry_are_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    alarm = msgspec.structs.replace(ALARM, title="[bold]evil[/] " + incident(1).title)
    command.show(card_of([outcome("", false_alarms=(alarm,))], 0.2))
    assert "[bold]evil[/]" in capsys.readouterr().out
