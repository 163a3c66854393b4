"""How the control plane looks on a terminal."""

from collections.abc import Iterable
from typing import Any

from rich.markup import escape
from rich.table import Table

from holdfast.act.containment import Plan
from holdfast.cli.console import out
from holdfast.control.snapshot import Snapshot
from holdfast.core.clock import to_iso


def show_snapshot(snapshot: Snapshot) -> None:
    """What is configured, in a few lines."""
    changed = f", changed {to_iso(snapshot.created_ns)}" if snapshot.version else ""
    out.print(f"version [bold]{snapshot.version}[/]{changed}")
    if not snapshot.automation:
        out.print("[bold red]automation is stopped by the red button[/]")
    desired = snapshot.desired
    table = Table("route", "targets", "template", "prompt", box=None, header_style="dim")
    for route in desired.routes:
        targets = ", ".join(f"{one.target} ({one.order}: {one.weight:g})" for one in route.targets)
        table.add_row(*(escape(text) for text in (route.name, targets, route.template, route.prompt)))
    if desired.routes:
        out.print(table)
    for guard in desired.guards:
        out.print(f"guard {escape(guard.name)}: {guard.mode} on {guard.place} at {guard.threshold:g}")


def show_leases(leases: Iterable[dict[str, Any]]) -> None:
    """One line a containment."""
    leases = list(leases)
    if not leases:
        return
    table = Table("lease", "action", "where", "left", "owner", "by", "reason", box=None, header_style="dim")
    for lease in leases:
        scope = ", ".join(f"{name}={value}" for name, value in lease["scope"].items())
        left = lease.get("how") or f"{lease['left_s']:.0f} s"
        texts = (lease["id"], lease["action"], scope, left, lease["owner"], lease["actor"], lease["reason"])
        table.add_row(*(escape(text) for text in texts))
    out.print(table)


def show_granted(lease: dict[str, Any]) -> None:
    """That a containment is in force, and how it ends."""
    out.print(f"[bold]{escape(lease['id'])}[/] {escape(lease['text'])}", soft_wrap=True)
    block_id = lease["effect"].get("block_id")
    if block_id:
        out.print(f"the user is told [bold]{escape(block_id)}[/]")
    out.print(f"[dim]before: {escape(lease['before'])}; undo: holdfast control revoke {escape(lease['id'])} --reason …[/]")


def show_plan(plan: Plan) -> None:
    """The dry run."""
    out.print(f"would: {plan.does}", markup=False, soft_wrap=True)
    out.print(f"undo:  {plan.undo}", markup=False, soft_wrap=True)
    for warning in plan.warnings:
        out.print(f"[yellow]note:[/]  {escape(warning)}", soft_wrap=True)


def show_actions(actions: Iterable[dict[str, Any]]) -> None:
    """One line an action."""
    table = Table("action", "what it does", "without a person at most", box=None, header_style="dim")
    for action in actions:
        caps = action["caps"]
        alone = f"{caps['users']} users, {caps['traffic']:.0%} of traffic" if caps["users"] else "never"
        table.add_row(action["name"], escape(action["summary"]), alone)
    out.print(table)


def show_block(block: dict[str, Any]) -> None:
    """What support tells the user who quotes the id."""
    user = block["scope"].get("user", "")
    state = "in force" if block["live"] else f"{block['how']} by {block['ended_by']}: {block['ended_because']}"
    out.print(f"[bold]{escape(block['block_id'])}[/] on {escape(user)}: {escape(state)}", soft_wrap=True)
    out.print(f"since {block['granted']} until {block['expires']}, by {escape(block['actor'])}: {escape(block['reason'])}")


def show_history(entries: Iterable[dict[str, Any]]) -> None:
    """One line a change."""
    table = Table("version", "time", "who", "what", "", "why", box=None, header_style="dim")
    for entry in entries:
        texts = (str(entry["version"]), entry["time"], entry["actor"], entry["event"], entry["text"], entry["reason"])
        table.add_row(*(escape(text) for text in texts))
    out.print(table)


def show_gateways(gateways: list[dict[str, Any]], version: int) -> None:
    """One line a gateway: the version it runs, its workers, each of which has its part of every limit, and what is open."""
    if not gateways:
        out.print("No gateway has reported within the last hour.")
        return
    table = Table("gateway", "version", "workers", "", "open breakers", box=None, header_style="dim")
    for gateway in gateways:
        report = gateway["report"]
        state = "silent" if gateway["silent"] else report["refused"] or ("" if report["version"] == version else "behind")
        opened = [f"{one['rule']}/{one['target']}" for one in report["breakers"] if one["position"] != "closed"]
        workers = f"{report['counters'].get('workers', 0):.0f}"
        table.add_row(escape(gateway["id"]), str(report["version"]), workers, escape(state), escape(", ".join(opened)))
    out.print(table)
    if any(gateway["report"]["counters"].get("workers", 0) > 1 for gateway in gateways):
        out.print("[dim]Each worker counts its own calls for breakers, and grants its part of every limit.[/]")


def show_prompts(prompts: Iterable[dict[str, Any]]) -> None:
    """One line a prompt."""
    for prompt in prompts:
        names = (version["version"] for version in prompt["versions"])
        versions = (f"[bold]{escape(name)}[/]" if name == prompt["current"] else escape(name) for name in names)
        out.print(f"{escape(prompt['name'])}: {', '.join(versions)}")
