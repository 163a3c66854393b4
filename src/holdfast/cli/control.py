"""`holdfast control …`: what gateways run, and the containments over it.

The commands work on the ledger itself, so that they also work while the server is down; a running server, and with it every
gateway, takes a change over within a fraction of a second.
"""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import orjson
import typer

from holdfast.act.containment import ActionRequest, Containment
from holdfast.act.registry import ACTIONS
from holdfast.cli import control_view as view
from holdfast.cli.console import ConfigOption, out, settings_of, told
from holdfast.cli.serving import serving
from holdfast.control.diff import desired_diff
from holdfast.control.documents import block_document, ended_document, event_document, lease_document
from holdfast.control.events import event_in
from holdfast.control.leases import blocks
from holdfast.control.prompts import prompt, published, rolled_back
from holdfast.control.snapshot import Desired, PromptVersion
from holdfast.control.store import STREAM, ControlStore
from holdfast.control.validate import must_be_sound, read_desired
from holdfast.core.clock import SystemClock, to_iso
from holdfast.core.errors import InputError, NotFoundError, UnavailableError
from holdfast.ledger.store import Ledger

app = typer.Typer(help="What gateways run: routes, guards, prompts, containments, and the red button.", no_args_is_help=True)
prompts = typer.Typer(help="The prompt registry: versions are added and never changed.", no_args_is_help=True)
app.add_typer(prompts, name="prompt")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept in the ledger.")]
Actor = Annotated[str, typer.Option("--as", metavar="NAME", help="Who does it. Default: the user of this machine.")]
LeaseId = Annotated[str, typer.Argument(metavar="LEASE", help="Id of the lease.")]


@contextmanager
def _opened(config: ConfigOption) -> Iterator[tuple[ControlStore, Ledger]]:
    with told(), Ledger(settings_of(config).ledger_url) as ledger:
        yield ControlStore(ledger.stream(STREAM), SystemClock()), ledger


@app.command()
def show(
    config: ConfigOption = None,
    desired: Annotated[bool, typer.Option("--desired", help="Print the desired state as JSON, to edit and to `apply`.")] = False,
    ended: Annotated[bool, typer.Option("--ended", help="Also the containments that have ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """What is configured, and what lies over it.

    Example: holdfast control show --desired > desired.json
    """
    with _opened(config) as (store, _):
        state, now_ns = store.expire(), store.now_ns()
    if desired:
        typer.echo(msgspec.json.format(msgspec.json.encode(state.snapshot.desired), indent=2).decode())
        return
    leases = [lease_document(lease, now_ns) for lease in state.snapshot.live(now_ns)]
    over = [ended_document(one) for one in reversed(state.ended)] if ended else []
    if as_json:
        head = {"version": state.snapshot.version, "automation": state.snapshot.automation}
        _print_json({**head, "leases": leases, "ended": over, "desired": msgspec.to_builtins(state.snapshot.desired)})
        return
    view.show_snapshot(state.snapshot)
    view.show_leases(leases)
    view.show_leases(over)


@app.command()
def diff(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A desired state as JSON.")],
    config: ConfigOption = None,
    as_json: AsJson = False,
) -> None:
    """What `apply` would change. Exit 2 where it would be refused.

    Example: holdfast control diff desired.json
    """
    with _opened(config) as (store, _):
        wanted, snapshot = _read(file), store.expire().snapshot
        must_be_sound(msgspec.structs.replace(snapshot, desired=wanted))
        _show_changes(desired_diff(snapshot.desired, wanted), snapshot.version, as_json)


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A desired state as JSON.")],
    reason: Reason,
    expect: Annotated[int | None, typer.Option(metavar="VERSION", help="Refuse if somebody has changed this version.")] = None,
    config: ConfigOption = None,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Put another desired state in place, whole.

    Example: holdfast control apply desired.json --reason "second target" --expect 12
    """
    with _opened(config) as (store, _):
        version = store.expire().snapshot.version if expect is None else expect
        changes = store.configure(_read(file), _who(actor), reason, version)
        _show_changes(changes, store.snapshot.version, as_json)


@app.command()
def actions(as_json: AsJson = False) -> None:
    """What can be done, from the gentlest to the last resort."""
    found = [{"name": one.name, "summary": one.summary, "caps": msgspec.to_builtins(one.caps)} for one in ACTIONS.values()]
    _print_json(found) if as_json else view.show_actions(found)


@app.command()
def lease(  # noqa: PLR0913 - one parameter an option is how Typer documents them
    action: Annotated[str, typer.Argument(metavar="ACTION", help="See `holdfast control actions`.")],
    reason: Reason,
    scope: Annotated[list[str], typer.Option(metavar="DIMENSION=VALUE", help="On whom; several must all match.")],
    arg: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Arguments; JSON, or else text.")] = None,
    ttl: Annotated[float, typer.Option(metavar="SECONDS", help="After which it ends by itself.")] = 3600.0,
    share: Annotated[float, typer.Option(min=0, max=1, help="Of the matching users.")] = 1.0,
    owner: Annotated[str, typer.Option(metavar="OWNER", help="Incident id, or a person. Default: who does it.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")] = False,
    config: ConfigOption = None,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Contain something, for a time.

    [bold]Examples[/]

      holdfast control lease disable_tool --arg tool=refund --scope route=support --reason "it refunds everybody"

      holdfast control lease block_user --scope user=mallory --ttl 600 --reason scraping --dry-run
    """
    with _opened(config) as (store, _):
        who = _who(actor)
        request = ActionRequest(
            action=action,
            scope={name: str(value) for name, value in _pairs(scope, "--scope").items()},
            ttl_s=ttl,
            owner=owner or who,
            reason=reason,
            arguments={name: _value(value) for name, value in _pairs(arg or [], "--arg").items()},
            share=share,
        )
        if dry_run:
            plan = Containment(store).plan(request, who)
            told_plan = {"does": plan.does, "undo": plan.undo, "plan_hash": plan.plan_hash, "warnings": list(plan.warnings)}
            _print_json(told_plan) if as_json else view.show_plan(plan)
            return
        granted = lease_document(Containment(store).apply(request, who), store.now_ns())
        _print_json(granted) if as_json else view.show_granted(granted)


@app.command()
def renew(
    lease_id: LeaseId,
    reason: Reason,
    ttl: Annotated[float, typer.Option(metavar="SECONDS", help="From now.")] = 3600.0,
    config: ConfigOption = None,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Let a containment end later, or sooner."""
    with _opened(config) as (store, _):
        found = lease_document(store.renew(lease_id, ttl, _who(actor), reason), store.now_ns())
        _print_json(found) if as_json else view.show_granted(found)


@app.command()
def revoke(lease_id: LeaseId, reason: Reason, config: ConfigOption = None, actor: Actor = "", as_json: AsJson = False) -> None:
    """Undo a containment now.

    Example: holdfast control revoke lse_1a2b3c4d5e6f --reason "the prompt is fixed"
    """
    with _opened(config) as (store, _):
        store.revoke(lease_id, _who(actor), reason)
        _show_changes((f"lease {lease_id} revoked",), store.snapshot.version, as_json)


@app.command()
def block(
    block_id: Annotated[str, typer.Argument(metavar="BLOCK", help="The id that the user was told.")],
    lift: Annotated[str, typer.Option(metavar="REASON", help="Lift it, and say why.")] = "",
    config: ConfigOption = None,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Look a block up, or lift it.

    Example: holdfast control block blk_1a2b3c4d5e6f --lift "a mistake"
    """
    with _opened(config) as (store, _):
        now_ns = store.now_ns()
        found = next((one for one in blocks(store.expire(), now_ns) if one[0] == block_id), None)
        if found is None and lift:
            store.lift(block_id, _who(actor), lift)
            _show_changes((f"block {block_id} lifted: it counts against its guard's budget",), store.snapshot.version, as_json)
            return
        if found is None:
            raise NotFoundError(f"no containment has the block {block_id!r}; a guard's is on its call in telemetry")
        if lift:
            store.revoke(found[1].id, _who(actor), lift)
            found = next(one for one in blocks(store.state, now_ns) if one[0] == block_id)
        document = block_document(*found, now_ns)
        _print_json(document) if as_json else view.show_block(document)


@app.command("red-button")
def red_button(
    reason: Reason,
    release: Annotated[bool, typer.Option("--release", help="Let automation act again.")] = False,
    config: ConfigOption = None,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Stop all automation at once: it does nothing more, and what it did ends. What people did stays.

    Example: holdfast control red-button --reason "it blocks customers"
    """
    with _opened(config) as (store, _):
        before = len(store.expire().snapshot.leases)
        state = store.resume_automation(_who(actor), reason) if release else store.stop_automation(_who(actor), reason)
        ended = before - len(state.snapshot.leases)
        said = "automation may act again" if release else f"automation is stopped, {ended} of its containments ended"
        _show_changes((said,), state.snapshot.version, as_json)


@app.command()
def history(
    config: ConfigOption = None, limit: Annotated[int, typer.Option(min=1, max=1000)] = 20, as_json: AsJson = False
) -> None:
    """Who changed what and why, newest first."""
    with _opened(config) as (_, ledger):
        found = [
            {
                "version": entry.version,
                "time": to_iso(entry.event.time_ns),
                "actor": entry.event.actor,
                **event_document(event_in(entry)),
            }
            for entry in ledger.stream(STREAM).newest(limit)
        ]
    _print_json(found) if as_json else view.show_history(found)


@app.command()
def gateways(config: ConfigOption = None, as_json: AsJson = False) -> None:
    """What each gateway runs, as the server has heard it."""
    with told(), serving(settings_of(config)) as server:
        if server is None:
            raise UnavailableError("no server runs here: gateways report to it")
        found = server.ask("GET", "/api/v1/control")
    _print_json(found["gateways"]) if as_json else view.show_gateways(found["gateways"], found["version"])


@prompts.command("list")
def list_prompts(config: ConfigOption = None, as_json: AsJson = False) -> None:
    """All prompts with their versions."""
    with _opened(config) as (store, _):
        found = msgspec.to_builtins(store.snapshot.desired.prompts)
    _print_json(found) if as_json else view.show_prompts(found)


@prompts.command("show")
def show_prompt(
    name: str, version: Annotated[str, typer.Option(help="Default: the one in use.")] = "", config: ConfigOption = None
) -> None:
    """The text of a version."""
    with _opened(config) as (store, _):
        found = prompt(store.snapshot.desired.prompts, name)
        wanted = version or found.current
        text = next((one.text for one in found.versions if one.version == wanted), None)
        if text is None:
            raise NotFoundError(f"prompt {name} has no version {wanted!r}")
    typer.echo(text)


@prompts.command()
def publish(
    name: str,
    version: str,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The text.")],
    reason: Reason,
    config: ConfigOption = None,
    actor: Actor = "",
) -> None:
    """Publish a version, and put it in use.

    Example: holdfast control prompt publish support v8 support.txt --reason "asks for the order number first"
    """
    with _opened(config) as (store, _):
        who, text = _who(actor), _text(file)

        def edit(desired: Desired, now_ns: int) -> Desired:
            return published(desired, name, PromptVersion(version=version, text=text, created_ns=now_ns, author=who))

        _show_changes(store.edit(edit, who, reason), store.snapshot.version, False)


@prompts.command()
def rollback(
    name: str,
    reason: Reason,
    to: Annotated[str, typer.Option(metavar="VERSION", help="Default: the version published before.")] = "",
    config: ConfigOption = None,
    actor: Actor = "",
) -> None:
    """Put another version in use, for everybody and for good.

    Example: holdfast control prompt rollback support --reason "v8 hallucinates"
    """
    with _opened(config) as (store, _):
        changes = store.edit(lambda desired, now_ns: rolled_back(desired, name, to), _who(actor), reason)
        _show_changes(changes, store.snapshot.version, False)


def _who(actor: str) -> str:
    return actor or getpass.getuser()


def _read(file: Path) -> Desired:
    return read_desired(_text(file))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", str(file)) from error


def _pairs(words: list[str], option: str) -> dict[str, str]:
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise InputError(f"{word!r} is no NAME=VALUE", option)
        found[name] = value
    return found


def _value(text: str) -> Any:
    """JSON where it is, such as numbers and lists; else the text itself."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _print_json(value: Any) -> None:
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def _show_changes(changes: tuple[str, ...], version: int, as_json: bool) -> None:
    if as_json:
        _print_json({"version": version, "changes": list(changes)})
        return
    for line in changes or ("no difference",):
        out.print(line, markup=False, soft_wrap=True)
    out.print(f"[dim]version {version}[/]")
