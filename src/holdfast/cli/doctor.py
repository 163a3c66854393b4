"""`holdfast doctor`: what is wrong with this installation, and what to do about it."""

import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import httpx
import msgspec
import orjson
import typer
from rich.markup import escape

from holdfast.cli.console import EXIT_FAILED, ConfigOption, out, settings_of, told
from holdfast.core.clock import NS_PER_S, SystemClock, to_iso
from holdfast.core.errors import StoreError
from holdfast.ledger.accounts import Accounts
from holdfast.ledger.store import Ledger
from holdfast.settings import Settings
from holdfast.telemetry.store import TelemetryStore

MIN_FREE_BYTES = 2 * 1024**3
RECENT_NS = 3600 * NS_PER_S
BUILT_NS = 1_760_000_000 * NS_PER_S
"""A clock that shows an earlier time than this program was written at is wrong."""
TIMEOUT_S = 5.0


class Finding(msgspec.Struct, frozen=True):
    """One thing that was checked. `advice` says what to do where it is not ok."""

    check: str
    ok: bool
    text: str
    advice: str = ""


Check = Callable[[Settings], Iterator[Finding]]


def doctor(config: ConfigOption = None, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check settings, disk, clock, stores, ports and scorers. Exit 1 if something needs doing.

    Example: holdfast doctor
    """
    with told():
        settings = settings_of(config)
    findings = [Finding("settings", True, "read and valid"), *(f for check in CHECKS for f in check(settings))]
    if as_json:
        typer.echo(orjson.dumps([msgspec.to_builtins(f) for f in findings], option=orjson.OPT_INDENT_2).decode())
    else:
        for finding in findings:
            mark = "[green]ok  [/]" if finding.ok else "[bold red]do  [/]"
            out.print(f"{mark} {finding.check:<10} {escape(finding.text)}", soft_wrap=True)
            if finding.advice:
                out.print(f"     {'':<10} → {escape(finding.advice)}", soft_wrap=True)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(EXIT_FAILED)


def check_disk(settings: Settings) -> Iterator[Finding]:
    """Room and rights where the data goes."""
    folder = settings.server.data_dir.resolve()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    text = f"{free / 1024**3:.1f} GiB free for {folder}"
    enough = free >= MIN_FREE_BYTES
    yield Finding("disk", enough, text, "" if enough else "make room, or set server.data_dir or stores.retention_days")
    if not _writable(existing):
        yield Finding("disk", False, f"{existing} cannot be written", "give this user the right, or set server.data_dir")


def _writable(folder: Path) -> bool:
    probe = folder / ".holdfast-doctor"
    try:
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


def check_clock(settings: Settings) -> Iterator[Finding]:
    """A clock that is far off makes every onset and every regulatory deadline wrong."""
    now = SystemClock().now_ns()
    if now < BUILT_NS:
        yield Finding("clock", False, f"this machine thinks it is {to_iso(now)}", "set the clock (timedatectl set-ntp true)")
    else:
        yield Finding("clock", True, to_iso(now))


def check_ledger(settings: Settings) -> Iterator[Finding]:
    """It opens, the chain holds, and somebody administers the accounts in it."""
    if settings.ledger_url.startswith("sqlite:///") and not Path(settings.ledger_url.removeprefix("sqlite:///")).exists():
        yield Finding("ledger", True, "not made yet: the server will")
        return
    try:
        with Ledger(settings.ledger_url) as ledger:
            report, access = ledger.verify(), administered(ledger.accounts)
    except StoreError as error:
        yield Finding("ledger", False, str(error), "see stores.ledger in the configuration")
        return
    advice = "" if report.ok else "run `holdfast ledger verify`, then compare with a backup"
    yield Finding("ledger", report.ok, f"{report.rows} events, {len(report.findings)} findings", advice)
    yield access


def administered(accounts: Accounts) -> Finding:
    """Whether somebody can manage accounts; where there are none yet, the server's set-up link makes the first."""
    known = len(accounts.users())
    ok = accounts.has_administrator() or not known
    advice = "start the server again for a set-up link, run `holdfast user add NAME --role admin`, or give a group the role"
    text = f"{known} accounts" if ok else f"{known} accounts, and none that is let in has the role admin on all applications"
    return Finding("accounts", ok, text, "" if ok else advice)


def check_server(settings: Settings) -> Iterator[Finding]:
    """Either our server answers on its ports, or the ports are free for it."""
    server = settings.server
    base = f"http://{server.host}:{server.api_port}"
    try:
        ready = httpx.get(f"{base}/readyz", timeout=TIMEOUT_S)
    except httpx.HTTPError:
        yield Finding("server", True, "not running")
        for name in ("api_port", "otlp_http_port", "otlp_grpc_port"):
            port = getattr(server, name)
            if _taken(server.host, port):
                advice = f"stop what listens there, or set server.{name}"
                yield Finding("ports", False, f"port {port} is taken by another program", advice)
        yield from check_telemetry(settings)
        return
    status = (
        ready.json().get("status", "?") if ready.headers.get("content-type", "").startswith("application/json") else "no Holdfast"
    )
    yield Finding(
        "server", ready.status_code == 200, f"{base}: {status}", "" if ready.status_code == 200 else "see the server's log"
    )
    yield from _scorers_of_server(settings, base)


def _taken(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(TIMEOUT_S)
        return probe.connect_ex((host, port)) == 0


def check_telemetry(settings: Settings) -> Iterator[Finding]:
    """The store opens. Only while no server runs: an embedded store has one owner."""
    path = Path(settings.telemetry_dsn.removeprefix("chdb://"))
    if settings.telemetry_dsn.startswith("chdb://") and not path.exists():
        yield Finding("telemetry", True, "not made yet: the server will")
        return
    try:
        with TelemetryStore(settings.telemetry_dsn) as store:
            yield Finding("telemetry", True, f"{store.count()} calls of {len(store.services())} applications")
            now = SystemClock().now_ns()
            yield from dead_scorers(store.coverage(now - RECENT_NS, now))
    except StoreError as error:
        yield Finding("telemetry", False, str(error), "see stores.telemetry in the configuration")


def _scorers_of_server(settings: Settings, base: str) -> Iterator[Finding]:
    file = settings.server.data_dir / "local.token"
    headers = {"Authorization": f"Bearer {file.read_text().strip()}"} if file.exists() else {}
    try:
        answer = httpx.get(f"{base}/api/v1/coverage", headers=headers, timeout=TIMEOUT_S)
        answer.raise_for_status()
        yield from dead_scorers(answer.json())
    except httpx.HTTPError as error:
        yield Finding("scorers", False, f"the server does not tell: {error}", "see the server's log")


def dead_scorers(coverage: dict[str, dict[str, int]]) -> Iterator[Finding]:
    """Scorers that failed in the last hour. One that did not run must not look like one that found nothing."""
    failing = {name: counts for name, counts in coverage.items() if counts["failed"]}
    for name, counts in failing.items():
        text = f"{name} failed on {counts['failed']} of {sum(counts.values())} traces of the last hour"
        yield Finding(
            "scorers", False, text, "`holdfast incident list` has the coverage incident; the call pages have the errors"
        )
    if not failing:
        yield Finding("scorers", True, f"{len(coverage)} at work in the last hour, none failed")


CHECKS: tuple[Check, ...] = (check_disk, check_clock, check_ledger, check_server)
