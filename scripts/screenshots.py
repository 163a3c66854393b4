"""Writes docs/images from a console with real data behind it: `python -m scripts.screenshots [--only NAME…] [--to FOLDER]`.

An hour of a sample application that breaks goes through the pipeline with event time as the clock; then every page is opened in
Chromium, 1400 px wide and light, the incident also 400 px wide. With `--check FOLDER` all pages are kept there in both widths and
both themes instead, to be looked at.
"""

import argparse
import heapq
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page

from holdfast.access.access import Access, TokenOrder
from holdfast.access.roles import EVERYWHERE, Identity, Role
from holdfast.act.containment import ActionRequest
from holdfast.api.application import create_app
from holdfast.api.context import ApiContext
from holdfast.api.drill_runs import DrillOrder, DrillRuns
from holdfast.api.plane import ControlPlane, plane_in
from holdfast.api.rate import RateLimit, RatePolicy
from holdfast.app.stages import build_stages, detect_policy
from holdfast.console.router import router
from holdfast.control.gateways import GatewayReport
from holdfast.core.clock import NS_PER_S
from holdfast.core.events import CommentAdded, IncidentAcknowledged, IncidentAssigned, Recorded
from holdfast.core.incident import Incident, State
from holdfast.drills.faults.registry import FAULTS
from holdfast.drills.plan import HEALTHY
from holdfast.drills.scenario import Scenario, play, prepare
from holdfast.drills.write import arrivals
from holdfast.ingest.record import Record
from holdfast.ledger.store import Ledger
from holdfast.live import Progress
from holdfast.pipeline import Pipeline
from holdfast.replay import replay
from holdfast.score.registry import METRICS
from holdfast.settings import Settings
from holdfast.telemetry.store import TelemetryStore
from holdfast.testing.clock import FakeClock
from holdfast.testing.control import example_desired
from tests.console.browser import browser, served

IMAGES = Path(__file__).parents[1] / "docs" / "images"
PASSWORD = "correct horse battery"  # noqa: S105 - of an account that lives as long as this program
BROKEN = Scenario(fault="grounding_rule_dropped", calls=5_000, hours=6.0, fault_at=0.85, seed=2)
WELL = Scenario(application="bank", calls=1_200, hours=6.0, seed=3)
DRILLS = DrillOrder(names=(*tuple(FAULTS)[::9], HEALTHY), calls=800)
SETTINGS = Settings.model_validate(
    {
        "objectives": {
            "answers": {"metric": "error", "share": 0.995},
            "grounded": {"metric": "ungrounded_answer", "share": 0.9, "service": "support-assistant"},
            "fast": {"metric": "latency", "share": 0.95, "bad_from": 8_000},
        }
    }
)
WIDE, PHONE = (1400, 900), (400, 860)
ROOT = Identity(actor="user:root", grants={EVERYWHERE: Role.ADMIN}, address="192.0.2.1")


def main() -> int:
    """Fills, serves, takes pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", help="names of pages, such as overview")
    parser.add_argument("--to", type=Path, default=IMAGES, help="folder of the pictures")
    parser.add_argument("--check", type=Path, help="folder for all pages in both widths and themes")
    asked = parser.parse_args()
    with (
        TemporaryDirectory(prefix="holdfast-pictures-") as name,
        site(Path(name), drilled=not asked.only or "drills" in asked.only) as (url, pages),
        browser() as chrome,
    ):
        chosen = {page: path for page, path in pages.items() if not asked.only or page in asked.only}
        if asked.check:
            looks = [(size, scheme) for size in (WIDE, PHONE) for scheme in ("light", "dark")]
            for size, scheme in looks:
                take(signed_in(chrome, url, size, scheme), chosen, asked.check, f"-{size[0]}-{scheme}", whole=True)
            return 0
        take(signed_in(chrome, url, WIDE), chosen, asked.to)
        if "incident" in chosen:
            take(signed_in(chrome, url, PHONE), {"incident-phone": chosen["incident"]}, asked.to)
    return 0


@contextmanager
def site(folder: Path, drilled: bool) -> Iterator[tuple[str, dict[str, str]]]:
    """A console with all of it, drills only if `drilled`, for they take minutes; its address, and the pages by name."""
    with TelemetryStore(f"chdb://{folder}/telemetry") as telemetry, Ledger(f"sqlite:///{folder}/ledger.sqlite") as ledger:
        clock, progress = FakeClock(prepare(BROKEN).end_ns + 5 * NS_PER_S), Progress()
        pipeline_run(telemetry, ledger, progress)
        incident = next(i for i in ledger.incidents() if i.state is State.OPEN and i.diagnosis)
        drills = DrillRuns(folder / "drills", clock)
        if drilled:
            drill(drills)
        context = ApiContext(
            telemetry=telemetry,
            ledger=ledger,
            metrics=METRICS,
            progress=progress,
            clock=clock,
            access=Access(ledger.accounts, clock),
            rate=RateLimit(clock, RatePolicy(per_s=1e6, burst=1e6)),
            drills=drills,
            objectives=detect_policy(SETTINGS).objectives,
        )
        people(context, clock, incident)
        app = create_app(context, router)
        contained(plane_in(app), incident)
        trace = next(e.trace_id for s in incident.signals for e in s.exemplars)
        pages = {
            "overview": "/",
            "incidents": "/incidents",
            "incident": f"/incidents/{incident.id}",
            "calls": "/calls",
            "trace": f"/traces/{trace}",
            "metrics": f"/charts?service={incident.service}",
            "changes": "/changes",
            "control": "/control",
            "drills": "/drills",
            "audit": "/audit",
            "settings": "/settings",
        }
        with served(app) as url:
            yield url, pages
        drills.close()


def pipeline_run(telemetry: TelemetryStore, ledger: Ledger, progress: Progress) -> None:
    """Both applications through the pipeline, as the server would have taken them."""
    stages = build_stages(SETTINGS, telemetry, ledger)
    feeds: list[Iterator[tuple[int, Record]]] = []
    for scenario in (BROKEN, WELL):
        prepared = prepare(scenario)
        feeds.append((call.end_ns, call) for call, _ in arrivals(prepared, play(prepared)))
        feeds.append(iter([(change.time_ns, change) for change in prepared.changes]))
    progress.last_read_ns = replay(Pipeline(stages), heapq.merge(*feeds, key=lambda item: item[0])) + 5 * NS_PER_S
    progress.budget = stages.detection.budget_spent()
    progress.spent_today = progress.budget.spent.total
    progress.objectives = tuple(stages.detection.objectives())
    telemetry.flush()


def drill(runs: DrillRuns) -> None:
    """A few drills, really run."""
    runs.start(DRILLS, "user:ada")
    if not runs.wait(1_800):
        raise TimeoutError("the drills did not end")


def people(context: ApiContext, clock: FakeClock, incident: Incident) -> None:
    """Accounts, a token, and what people said of the incident."""
    access = context.access
    for name, grants in (("ada", {"*": "admin"}), ("bob", {"*": "approver"}), ("eve", {incident.service: "responder"})):
        access.add_user(ROOT, name, PASSWORD, grants)
    access.issue_token(
        ROOT, TokenOrder(name="prometheus", grants={"*": "viewer"}, scopes=("read:metrics",), lifetime_s=90 * 86_400)
    )
    said = (
        IncidentAcknowledged(),
        IncidentAssigned(assignee="bob"),
        CommentAdded(text="Prompt chat-v8 looks guilty, asking its owner."),
    )
    for event in said:
        clock.advance(20)
        context.ledger.append([Recorded(incident_id=incident.id, time_ns=clock.now_ns(), actor="user:bob", event=event)])
    context.progress.last_read_ns = clock.now_ns()


def contained(plane: ControlPlane, incident: Incident) -> None:
    """A desired state, a containment, and two gateways."""
    plane.store.configure(example_desired(), "user:ada", "first configuration", None)
    request = ActionRequest(
        action="disable_tool",
        arguments={"tool": "refund"},
        scope={"route": "support"},
        ttl_s=3600,
        owner=incident.id,
        reason="refunds on invented numbers",
    )
    plane.containment.apply(request, "user:bob")
    version, now = plane.store.snapshot.version, plane.store.now_ns()
    for name, behind in (("gateway-a", 0), ("gateway-b", 1)):
        plane.gateways.report(name, GatewayReport(version=version - behind, started_ns=now))


def signed_in(chrome: Browser, url: str, size: tuple[int, int], scheme: str = "light") -> Page:
    """A browser's page in which an administrator is signed in."""
    made = chrome.new_context(
        base_url=url, viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = made.new_page()
    page.goto("/login")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    return page


def take(page: Page, pages: dict[str, str], to: Path, suffix: str = "", whole: bool = False) -> None:
    """Pictures of these pages."""
    to.mkdir(parents=True, exist_ok=True)
    for name, path in pages.items():
        page.goto(path)
        if page.locator(".live").count():
            page.locator(".live.on").first.wait_for()
        page.screenshot(path=to / f"{name}{suffix}.png", full_page=whole)


if __name__ == "__main__":
    sys.exit(main())
