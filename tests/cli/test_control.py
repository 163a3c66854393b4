"""The control plane from the command line."""

from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from holdfast.control.gateways import GatewayReport
from holdfast.control.snapshot import Desired
from holdfast.control.store import STREAM
from holdfast.ledger.store import Ledger
from holdfast.testing.control import example_desired
from holdfast.testing.control_server import ADMIN, ControlServer
from tests.cli.conftest import Shell


def written(shell: Shell, desired: Desired, name: str = "desired.json") -> str:
    (shell.folder / name).write_bytes(msgspec.json.encode(desired))
    return name


@pytest.fixture
def configured(shell: Shell) -> Shell:
    (shell.folder / ".holdfast").mkdir()
    shell.run("control", "apply", written(shell, example_desired()), "--reason", "first", "--as", "ada")
    return shell


def limited(requests_per_s: float) -> Desired:
    desired = example_desired()
    return msgspec.structs.replace(desired, user_limit=msgspec.structs.replace(desired.user_limit, requests_per_s=requests_per_s))


def shown(shell: Shell) -> Any:
    return orjson.loads(shell.run("control", "show", "--json").stdout)


def lease(shell: Shell, *more: str, code: int = 0) -> Any:
    words = ("control", "lease", "disable_tool", "--arg", "tool=refund", "--scope", "route=support", "--reason", "it refunds")
    return shell.run(*words, "--json", *more, code=code)


def test_what_is_shown_can_be_edited_and_applied(configured: Shell) -> None:
    (configured.folder / "same.json").write_text(configured.run("control", "show", "--desired").stdout)
    assert "no difference" in configured.run("control", "diff", "same.json").output
    changed = written(configured, limited(5.0), "new.json")
    assert "user_limit: requests_per_s: 0.0 → 5.0" in configured.run("control", "diff", changed).output
    assert shown(configured)["version"] == 1
    configured.run("control", "apply", changed, "--reason", "too fast", "--expect", "1")
    assert shown(configured)["desired"]["user_limit"]["requests_per_s"] == 5.0


def test_an_empty_plane_shows_version_zero(shell: Shell) -> None:
    (shell.folder / ".holdfast").mkdir()
    assert "version 0" in shell.run("control", "show").output


def test_the_picture_on_the_terminal_names_routes_guards_and_containments(configured: Shell) -> None:
    lease(configured)
    text = configured.run("control", "show").output
    for expected in ("support", "large (0: 1)", "guard pii: enforce", "disable_tool", "route=support", "it refunds"):
        assert expected in text


def test_somebody_elses_change_is_not_overwritten_unseen(configured: Shell) -> None:
    changed = written(configured, limited(5), "new.json")
    assert "at version 1, not 0" in configured.run("control", "apply", changed, "--reason", "r", "--expect", "0", code=2).stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "is no JSON"),
        (b'{"rutes":[]}', "rutes"),
        (b'{"routes":[{"name":"a","targets":[]}]}', "routes[a].targets: is empty"),
        (b"\xff\xfe", "cannot be read"),
    ],
    ids=["broken", "unknown-field", "unsound", "no-text"],
)
@pytest.mark.parametrize("command", ["diff", "apply"])
def test_a_file_that_makes_no_sense_is_refused_with_its_place(configured: Shell, command: str, content: bytes, told: str) -> None:
    (configured.folder / "bad.json").write_bytes(content)
    more = ("--reason", "r") if command == "apply" else ()
    assert told in configured.run("control", command, "bad.json", *more, code=2).stderr
    assert shown(configured)["version"] == 1


def test_a_file_that_is_not_there_is_told(configured: Shell) -> None:
    assert "nowhere.json" in configured.run("control", "diff", "nowhere.json", code=2).stderr


def test_a_containment_is_applied_renewed_and_undone(configured: Shell) -> None:
    granted = orjson.loads(lease(configured, "--ttl", "600", "--owner", "inc_1", "--as", "ada").stdout)
    assert (granted["actor"], granted["owner"], granted["effect"]["tool"]) == ("ada", "inc_1", "refund")
    renewed = configured.run("control", "renew", granted["id"], "--ttl", "60", "--reason", "nearly over", "--json")
    assert orjson.loads(renewed.stdout)["left_s"] <= 60
    assert "revoked" in configured.run("control", "revoke", granted["id"], "--reason", "fixed").output
    assert shown(configured)["leases"] == []
    assert "revoked" in configured.run("control", "show", "--ended").output
    assert "was revoked" in configured.run("control", "revoke", granted["id"], "--reason", "again", code=2).stderr


def test_arguments_may_be_json(configured: Shell) -> None:
    words = ("control", "lease", "pin_parameters", "--scope", "route=support", "--reason", "r", "--json")
    found = orjson.loads(configured.run(*words, "--arg", 'parameters={"temperature": 0.2}').stdout)
    assert found["effect"]["parameters"] == {"temperature": 0.2}


def test_a_dry_run_says_what_would_happen(configured: Shell) -> None:
    words = ("control", "lease", "downgrade_model", "--arg", "target=small", "--scope", "route=support", "--reason", "r")
    text = configured.run(*words, "--dry-run").output
    assert "would: downgrade_model where route=support" in text
    assert "undo:  end the lease: support: large 1, small 1" in text
    assert orjson.loads(configured.run(*words, "--dry-run", "--json").stdout)["plan_hash"]
    assert shown(configured)["version"] == 1


def test_a_dry_run_notes_a_route_that_no_gateway_has(configured: Shell) -> None:
    words = ("control", "lease", "disable_tool", "--arg", "tool=x", "--scope", "route=suport", "--reason", "r", "--dry-run")
    assert "no gateway has a route 'suport'" in configured.run(*words).output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--scope", "route"), "is no NAME=VALUE"),
        (("--scope", "colour=red"), "is no dimension"),
        (("--arg", "more=1"), "unknown field `more`"),
        (("--ttl", "0"), "ttl_s"),
        (("--reason", " "), "reason"),
    ],
    ids=["no-pair", "dimension", "argument", "ttl", "reason"],
)
def test_a_containment_that_makes_no_sense_is_refused(configured: Shell, words: tuple[str, ...], told: str) -> None:
    assert told in lease(configured, *words, code=2).stderr
    assert shown(configured)["version"] == 1


def test_an_unknown_action_is_told_with_those_that_there_are(configured: Shell) -> None:
    result = configured.run("control", "lease", "erase", "--scope", "route=support", "--reason", "r", code=2)
    assert "pin_parameters" in result.stderr
    listed = configured.run("control", "actions").output
    assert "kill_route" in listed
    assert "never" in listed
    assert len(orjson.loads(configured.run("control", "actions", "--json").stdout)) == 12


def test_support_looks_up_and_lifts_a_block(configured: Shell) -> None:
    words = ("control", "lease", "block_user", "--scope", "user=mallory", "--reason", "scraping")
    text = configured.run(*words).output
    block_id = next(word for word in text.split() if word.startswith("blk_"))
    assert "mallory: in force" in configured.run("control", "block", block_id).output
    assert (
        "revoked by grace: a mistake"
        in configured.run("control", "block", block_id, "--lift", "a mistake", "--as", "grace").output
    )
    assert orjson.loads(configured.run("control", "block", block_id, "--json").stdout)["live"] is False
    assert "has the block" in configured.run("control", "block", "blk_9", code=2).stderr


def test_support_lifts_a_guards_block_and_cannot_lift_what_is_none(configured: Shell) -> None:
    text = configured.run("control", "block", "blk_0123456789ab", "--lift", "a recipe", "--as", "grace").output
    assert "counts against its guard's budget" in text
    assert "blk_0123456789ab" in configured.run("control", "history").output
    assert "lifted before" in configured.run("control", "block", "blk_0123456789ab", "--lift", "again", code=2).stderr
    assert "no id of a block" in configured.run("control", "block", "blk_9", "--lift", "x", code=2).stderr


def test_the_red_button_is_pressed_and_released(configured: Shell) -> None:
    lease(configured)
    pressed = configured.run("control", "red-button", "--reason", "it errs").output
    assert "automation is stopped, 0 of its containments ended" in pressed
    assert "stopped by the red button" in configured.run("control", "show").output
    assert len(shown(configured)["leases"]) == 1
    assert "stopped already" in configured.run("control", "red-button", "--reason", "r", code=2).stderr
    assert "may act again" in configured.run("control", "red-button", "--release", "--reason", "mended").output


def test_prompts_are_published_shown_and_rolled_back(configured: Shell) -> None:
    (configured.folder / "v3.txt").write_text("Answer briefly.")
    configured.run("control", "prompt", "publish", "support", "v3", "v3.txt", "--reason", "shorter")
    assert configured.run("control", "prompt", "show", "support").stdout == "Answer briefly.\n"
    configured.run("control", "prompt", "rollback", "support", "--to", "v1", "--reason", "v3 hallucinates")
    (found,) = orjson.loads(configured.run("control", "prompt", "list", "--json").stdout)
    assert (found["current"], len(found["versions"])) == ("v1", 3)
    assert "support: v1, v2, v3" in configured.run("control", "prompt", "list").output
    assert "no version" in configured.run("control", "prompt", "show", "support", "--version", "v9", code=2).stderr
    assert (
        "never change"
        in configured.run("control", "prompt", "publish", "support", "v1", "v3.txt", "--reason", "r", code=2).stderr
    )


def test_the_history_says_who_did_what_and_why(configured: Shell) -> None:
    lease(configured, "--as", "grace")
    granted, first = orjson.loads(configured.run("control", "history", "--json").stdout)
    assert (granted["actor"], granted["event"], granted["before"]) == ("grace", "LeaseGranted", "refund may be called")
    assert (first["actor"], first["reason"]) == ("ada", "first")
    assert "it refunds" in configured.run("control", "history").output


def test_gateways_are_asked_of_the_server_and_without_one_that_is_told(
    configured: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_SERVER__API_PORT", "9")
    assert "no server runs here" in configured.run("control", "gateways", code=1).stderr


def test_gateways_are_asked_of_the_server_that_runs(configured: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with ControlServer(configured.folder) as server:
        server.plane.gateways.report("g1", GatewayReport(version=7, started_ns=1))
        monkeypatch.setenv("HOLDFAST_SERVER__API_PORT", server.url.rpartition(":")[2])
        (configured.folder / ".holdfast" / "local.token").write_text(ADMIN)
        assert "behind" in configured.run("control", "gateways").output
        (found,) = orjson.loads(configured.run("control", "gateways", "--json").stdout)
    assert (found["id"], found["report"]["version"]) == ("g1", 7)


def test_verification_of_the_ledger_covers_the_control_plane(configured: Shell) -> None:
    lease(configured)
    assert "2 events, the chain holds" in configured.run("ledger", "verify").output
    with Ledger(f"sqlite:///{configured.folder}/.holdfast/ledger.sqlite") as ledger:
        stream = ledger.stream(STREAM)
        stream.append([stream.read()[1].event])
    assert "do not fold" in configured.run("ledger", "verify", code=1).stderr


def test_text_from_elsewhere_is_text_and_not_markup(configured: Shell) -> None:
    words = ("control", "lease", "quarantine_source", "--arg", "source=[red]x", "--scope", "route=support")
    configured.run(*words, "--reason", "[bold]no[/bold]", "--owner", "[/]")
    assert "[bold]no[/bold]" in configured.run("control", "show").output


def test_the_folder_needs_no_server(configured: Shell) -> None:
    assert Path(configured.folder / ".holdfast" / "ledger.sqlite").exists()
