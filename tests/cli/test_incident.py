"""People's side of an incident."""

import msgspec
import orjson
import pytest

from holdfast.core.events import IncidentOpened
from holdfast.ledger.store import Ledger
from tests.cli.conftest import Shell
from tests.report.conftest import events, signal


def ledger(shell: Shell) -> Ledger:
    return Ledger(f"sqlite:///{shell.folder}/.holdfast/ledger.sqlite")


def test_the_list_shows_what_is_open(with_incident: Shell) -> None:
    text = with_incident.run("incident", "list").output
    assert "inc_1" in text
    assert "sev2" in text


def test_an_empty_list_says_so(shell: Shell) -> None:
    (shell.folder / ".holdfast").mkdir()
    assert "No incidents." in shell.run("incident", "list").output


def test_the_list_can_be_read_by_programs(with_incident: Shell) -> None:
    (found,) = orjson.loads(with_incident.run("incident", "list", "--json", "--state", "open").stdout)
    assert found["id"] == "inc_1"


def test_an_incident_is_shown_by_the_beginning_of_its_id(with_incident: Shell) -> None:
    text = with_incident.run("incident", "show", "1").output
    for expected in ("prompt.version=v2", "prompt_engineering", "deploy-7", "DiagnosisMade"):
        assert expected in text


def test_the_postmortem_is_markdown_on_stdout(with_incident: Shell) -> None:
    assert with_incident.run("incident", "show", "inc_1", "--postmortem").stdout.startswith("# Post-mortem")


def test_acknowledge_assign_resolve_are_recorded_with_who_did_it(with_incident: Shell) -> None:
    with_incident.run("incident", "ack", "inc_1", "--as", "ada")
    with_incident.run("incident", "assign", "inc_1", "grace", "--as", "ada")
    with_incident.run("incident", "resolve", "inc_1", "--reason", "prompt rolled back", "--as", "grace")
    with ledger(with_incident) as found:
        incident = found.incident("inc_1")
    assert (incident.state, incident.assignee) == ("resolved", "grace")
    assert [entry.actor for entry in incident.timeline[-3:]] == ["ada", "ada", "grace"]


@pytest.mark.parametrize("words", [("ack",), ("resolve", "--reason", "x")])
def test_doing_it_twice_is_an_error(with_incident: Shell, words: tuple[str, ...]) -> None:
    command, *rest = words
    with_incident.run("incident", command, "inc_1", *rest)
    assert "inc_1" in with_incident.run("incident", command, "inc_1", *rest, code=2).stderr


@pytest.mark.parametrize("into", ["inc_1", "inc_other"])
def test_an_incident_is_merged_only_into_another_that_exists(with_incident: Shell, into: str) -> None:
    with_incident.run("incident", "merge", "inc_1", "--into", into, code=2)


def test_an_unknown_incident_is_an_error_that_names_it(with_incident: Shell) -> None:
    assert "inc_9" in with_incident.run("incident", "show", "inc_9", code=2).stderr


JUDGE = """
[scorers.house]
kind = "judge"
metric = "breaks_house_rules"
failure_mode = "house_rules"
url = "http://127.0.0.1:9/v1"
model = "small"
rubric = "the answer breaks a rule"
"""


def test_an_incident_of_a_configured_scorer_is_told_in_its_words(shell: Shell) -> None:
    (shell.folder / "holdfast.toml").write_text(JUDGE)
    (shell.folder / ".holdfast").mkdir()
    opened, *rest = events()
    assert isinstance(opened.event, IncidentOpened)
    judged = msgspec.structs.replace(opened.event, signal=signal("breaks_house_rules"))
    with ledger(shell) as found:
        found.append([msgspec.structs.replace(opened, event=judged), *rest])
    text = shell.run("incident", "show", "inc_1").output
    assert "failure: house_rules" in text
    row = next(line.split() for line in text.splitlines() if line.strip().startswith("breaks_house_rules "))
    assert "%" in row
    assert "up" in row
    (listed,) = orjson.loads(shell.run("incident", "list", "--json").stdout)
    assert "house_rules" in listed["failure_modes"]
    assert "house rules" in shell.run("incident", "show", "inc_1", "--postmortem").stdout
