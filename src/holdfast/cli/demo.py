"""`holdfast demo`: a sample application breaks, and a real server finds out."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any

import httpx
import typer
from rich.console import Group
from rich.live import Live
from rich.markdown import Markdown
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from holdfast.cli.console import EXIT_FAILED, err, out, told
from holdfast.cli.demo_gateway import Containment, GatewayPath, Models, Plane, desired, gateway
from holdfast.core.errors import ConfigurationError, StoreError
from holdfast.drills.application import load_application
from holdfast.drills.faults.registry import FAULTS
from holdfast.drills.live import DEMO_FAULTS, LiveAssistant, Pace, Sent, demo_scenario

WATCHED = (
    "ungrounded_answer",
    "answer_irrelevance",
    "refusal",
    "format_violation",
    "truncation",
    "document_injection",
    "answer_altered",
    "tool_error",
    "sensitive_output",
    "negative_feedback",
    "latency",
)
APPLICATION = "support"
READY_S = 60.0
POLL_S = 1.0
DETECT_S = 75.0
"""From the change until the incident is there, on a machine that keeps up."""
LAST_S = 420.0
"""How long a machine is waited for that does not keep up."""
SETTLE_S = 12.0
"""After the alarm the diagnosis goes on as evidence comes in; the demo shows how it settles."""


def demo(
    fault: Annotated[str, typer.Option(help="What breaks; `list` says what there is.")] = DEMO_FAULTS[0],
    keep: Annotated[bool, typer.Option("--keep", help="Leave the server and the application running until Ctrl-C.")] = False,
    healthy_s: Annotated[float, typer.Option(min=15, max=600, help="Seconds of healthy traffic before.")] = 40.0,
    rate: Annotated[float, typer.Option(min=1, max=200, help="Requests a second.")] = 25.0,
    seed: Annotated[int, typer.Option(help="Another seed, other requests.")] = 7,
) -> None:
    """Start a server and a sample support assistant, break it, and watch.

    Example: holdfast demo --fault poisoned_document --keep
    """
    if fault == "list":
        for name in DEMO_FAULTS:
            out.print(f"{name:<28} {FAULTS[name].layer:<24} {escape(FAULTS[name].title)}")
        return
    with told():
        if fault not in FAULTS:
            raise ConfigurationError(f"--fault {fault}: no such fault; one of {', '.join(DEMO_FAULTS)}")
        with _server() as place:
            assistant = LiveAssistant(
                place.otlp,
                demo_scenario(fault, seed),
                Pace(rate=rate, fault_after_s=healthy_s, duration_s=86_400 if keep else 600),
            )
            assistant.through = place.path
            show = _Show(place, assistant, healthy_s, rate)
            worker = threading.Thread(target=assistant.run, name="assistant", daemon=True)
            worker.start()
            try:
                found = show.run()
                if keep:
                    _keep(place)
            finally:
                assistant.stop()
                worker.join(timeout=10)
    if not found:
        raise typer.Exit(EXIT_FAILED)


class _Place:
    """Where the demo's server and gateway are, and the models behind it."""

    def __init__(self, folder: Path, models: Models, api_port: int, otlp_port: int, gateway_port: int) -> None:
        self.folder = folder
        self.otlp = f"http://127.0.0.1:{otlp_port}"
        self.api = f"http://127.0.0.1:{api_port}"
        self.gateway = f"http://127.0.0.1:{gateway_port}"
        self.client = httpx.Client(base_url=self.api, timeout=10)
        self.models, self.plane, self.path = models, Plane(self.client), GatewayPath(self.gateway, models)
        self.routes = tuple(route.path.strip("/") for route in load_application(APPLICATION).routes)

    def get(self, path: str, **parameters: Any) -> Any:
        return self.client.get(path, params=parameters).raise_for_status().json()

    def read(self) -> int:
        """Records that the pipeline has taken so far; also told while the pipeline is not ready."""
        return int(self.client.get("/readyz").json()["records"])


@contextmanager
def _server() -> Iterator[_Place]:
    """A real `holdfast up` and a real `holdfast gateway`, each a process of its own, on their usual ports where they are free."""
    folder = Path(mkdtemp(prefix="holdfast-demo-"))
    api, http, grpc, own = (_free(port) for port in (4001, 4318, 4317, 4000))
    ports = {"API_PORT": api, "OTLP_HTTP_PORT": http, "OTLP_GRPC_PORT": grpc}
    environment = {**os.environ, **{f"HOLDFAST_SERVER__{key}": str(value) for key, value in ports.items()}}
    environment["HOLDFAST_ACCESS__DEMO"] = "true"
    environment["HOLDFAST_SERVER__DATA_DIR"] = str(folder / "data")
    log = folder / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "holdfast", "up"], env=environment, cwd=folder, stdout=file, stderr=file
        )
    try:
        with Models() as models, gateway(folder, environment, own) as serving:
            place = _Place(folder, models, api, http, own)
            _await_ready(place.client, process, log)
            place.plane.configure(desired(models, place.routes), "the demo begins")
            with httpx.Client(base_url=place.gateway, timeout=10) as client:
                _await_ready(client, serving, folder / "gateway.log")
            yield place
            place.path.close()
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def _free(wanted: int) -> int:
    """`wanted` if nobody listens there, else a port that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ConfigurationError("no free port on the loopback address")


def _await_ready(client: httpx.Client, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + READY_S
    with err.status("starting server and gateway"):
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            try:
                if client.get("/readyz").status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
    raise StoreError(f"{log.stem} did not start; its log ends with:\n{log.read_text(errors='replace')[-2000:]}")


def _keep(place: _Place) -> None:
    out.print(f"\n[bold]Still up:[/] console at {place.api}/, gateway at {place.gateway}, OTLP at {place.otlp}.")
    out.print(f"Data in {place.folder}. Ctrl-C ends it.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        out.print("stopped")


class Patience:
    """How long the demo waits for an incident: a time, and on a machine that is too busy until as much traffic has been read as
    would have been by then.

    Args:
        limit_s: seconds from the start that suffice where everything keeps up.
        rate: requests a second that were meant to be sent.
    """

    def __init__(self, limit_s: float, rate: float) -> None:
        self._limit_s = limit_s
        self._requests = int(limit_s * rate)
        self._owed: int | None = None

    def late(self, elapsed_s: float) -> bool:
        """Whether it waits only because the machine is too busy."""
        return elapsed_s >= self._limit_s

    def lasts(self, elapsed_s: float, sent: Sent, read: int) -> bool:
        """Whether to go on waiting, after `read` records have gone into the pipeline."""
        if not self.late(elapsed_s):
            return True
        if sent.requests >= self._requests and self._owed is None:
            self._owed = sent.spans
        return elapsed_s < LAST_S and (self._owed is None or read < self._owed)


class _Show:
    """What the terminal shows: lines that stay for what happened, and below them how things are."""

    def __init__(self, place: _Place, assistant: LiveAssistant, healthy_s: float, rate: float) -> None:
        self._place = place
        self._assistant = assistant
        self._fault_s = healthy_s
        self._patience = Patience(healthy_s + DETECT_S, rate)
        self._start = time.monotonic()
        self._told: set[str] = set()
        self._metrics: list[dict[str, Any]] = []
        self._service = assistant.prepared.application.service

    def run(self) -> bool:
        """Until the incident is diagnosed, then timeline and post-mortem. False: nothing was found in time."""
        out.print(f"[bold]{escape(self._service)}[/] answers customers through the gateway; the server reads its telemetry.\n")
        incident: dict[str, Any] | None = None
        detected_at = 0.0
        with Live(self._dashboard(None), console=out, refresh_per_second=4, transient=True) as live:
            while detected_at or self._waits():
                self._tell_changes()
                incident = self._poll() or incident
                if incident and not detected_at:
                    detected_at = self._elapsed()
                if incident:
                    self._tell_incident(incident)
                live.update(self._dashboard(incident))
                if detected_at and self._elapsed() - detected_at > SETTLE_S:
                    break
                time.sleep(POLL_S)
        if incident is None:
            sent = self._assistant.sent
            out.print(f"[yellow]No incident was found in {self._elapsed():.0f} s[/], after {sent.requests} requests.")
            return False
        self._contain(incident)
        self._conclude(incident["id"])
        return True

    def _waits(self) -> bool:
        elapsed = self._elapsed()
        if self._patience.late(elapsed):
            self._say("late", "[yellow]busy[/]      this machine does not keep up with the traffic: waiting for it")
        return self._patience.lasts(elapsed, self._assistant.sent, self._place.read())

    def _contain(self, incident: dict[str, Any]) -> None:
        """The gateway's part, on live traffic, until the breaker has closed again or there is no more time."""
        models, plane = self._place.models, self._place.plane
        containment = Containment(plane.breakers, lambda: setattr(models, "mended", True), lambda line: self._say(line, line))
        self._place.path.served.clear()
        plane.configure(desired(models, self._place.routes, armed=True), f"incident {incident['id']}")
        containment.begin(self._elapsed())
        with Live(self._traffic(), console=out, refresh_per_second=4, transient=True) as live:
            while not containment.over:
                time.sleep(POLL_S / 2)
                containment.step(self._elapsed())
                live.update(self._traffic())
        self._say("served", f"[dim]served[/]    {served_text(self._place.path)}")

    def _traffic(self) -> Text:
        return Text(f"{self._elapsed():5.1f} s  served by {served_text(self._place.path)}", style="dim")

    def _elapsed(self) -> float:
        return time.monotonic() - self._start

    def _say(self, key: str, line: str) -> None:
        if key not in self._told:
            self._told.add(key)
            out.print(f"[dim]{self._elapsed():5.1f} s[/]  {line}")

    def _tell_changes(self) -> None:
        now = time.time_ns()
        for change in self._assistant.prepared.changes:
            if change.time_ns <= now:
                value = f"{change.from_value} → {change.to_value}"
                self._say(change.id, f"[cyan]change[/]    {escape(change.kind)} {escape(change.target)}: {escape(value)}")

    def _poll(self) -> dict[str, Any] | None:
        self._metrics = self._place.get("/api/v1/metrics", service=self._service, window_s=10, name=list(WATCHED))
        found = self._place.get("/api/v1/incidents", service=self._service)
        return self._place.get(f"/api/v1/incidents/{found[-1]['id']}") if found else None

    def _tell_incident(self, incident: dict[str, Any]) -> None:
        for metric in incident["metrics"]:
            change = f"{metric['name']} {metric['baseline']:.3g} → {metric['observed']:.3g}"
            self._say(f"signal {metric['name']}", f"[yellow]signal[/]    {escape(change)}")
        self._say("incident", f"[bold red]incident[/]  {escape(incident['title'])} ({incident['severity']})")
        layers = incident["diagnosis"]["layers"]
        if layers:
            top, cause = layers[0], (incident["diagnosis"]["causes"] or [{}])[0]
            text = f"{top['layer']} {top['probability']:.2f}, {cause.get('fault', 'unknown')}"
            self._say(
                text, f"[magenta]diagnosis[/] {text}" + (f" after {escape(cause['change_id'])}" if cause.get("change_id") else "")
            )

    def _dashboard(self, incident: dict[str, Any] | None) -> Group:
        sent = self._assistant.sent
        phase = "healthy" if self._elapsed() < self._fault_s else "broken"
        head = Text.from_markup(
            f"[dim]{self._elapsed():5.1f} s[/]  traffic   {sent.requests} requests, {sent.spans} spans kept, {phase}"
        )
        table = Table("metric", "before", "now", "", box=None, header_style="dim", pad_edge=False)
        for row in self._metrics:
            before, recent = row["before"], row["recent"]
            if before is None or recent is None:
                continue
            worse = recent > 2 * before + 0.01 and row["unit"] == "probability"
            bar = "█" * round(min(recent, 1.0) * 30) if row["unit"] == "probability" else ""
            style = "red" if worse else ""
            table.add_row(row["name"], f"{before:.3g}", Text(f"{recent:.3g}", style), Text(bar, style))
        parts: list[Any] = [head, table]
        if incident and incident["diagnosis"]["layers"]:
            parts.append(layer_table(incident["diagnosis"]["layers"], incident["cohort"]))
        return Group(*parts)

    def _conclude(self, incident_id: str) -> None:
        incident = self._place.get(f"/api/v1/incidents/{incident_id}")
        out.print(layer_table(incident["diagnosis"]["layers"], incident["cohort"]))
        out.rule("timeline", align="left")
        table = Table(box=None, show_header=False)
        for entry in incident["timeline"]:
            table.add_row(entry["time"], entry["actor"], entry["event"], escape(entry["text"]))
        out.print(table)
        out.rule("post-mortem", align="left")
        text = self._place.client.get(f"/api/v1/incidents/{incident_id}/postmortem").raise_for_status().text
        out.print(Markdown(text) if out.is_terminal else Text(text))
        out.rule("what really happened", align="left")
        injection = self._assistant.injection
        if injection is not None:
            change = injection.change.id if injection.change else "none announced"
            out.print(f"{injection.fault.name}, layer {injection.fault.layer}, change {change}")


def served_text(path: GatewayPath) -> str:
    """Who answered on which route, such as ``chat: main 12, careful 40``."""
    found: dict[str, list[str]] = {}
    for (route, target), count in sorted(path.served.items()):
        found.setdefault(route, []).append(f"{target} {count}")
    told = "; ".join(f"{route}: {', '.join(counts)}" for route, counts in found.items())
    return f"{told or 'nobody yet'}{f'; {path.failed} got no answer' if path.failed else ''}"


def layer_table(layers: list[dict[str, Any]], cohort: dict[str, str]) -> Table:
    """The layers with their probabilities as bars; the cohort above."""
    where = ", ".join(f"{name}={value}" for name, value in cohort.items()) or "no dimension explains it"
    table = Table(
        "layer", "", "", box=None, header_style="dim", pad_edge=False, title=f"cohort: {escape(where)}", title_justify="left"
    )
    for row in layers:
        table.add_row(row["layer"], f"{row['probability']:.2f}", "█" * round(row["probability"] * 30))
    return table
