"""What else goes on in an application: several harmless changes a day, some of them close to the moment when something breaks."""

from random import Random

import msgspec

from holdfast.core.change import Change, ChangeKind
from holdfast.core.clock import NS_PER_S
from holdfast.core.ids import derived_id
from holdfast.drills.application import Application
from holdfast.drills.injection import Injection, next_version
from holdfast.drills.script import INDEX_VERSION
from holdfast.drills.traffic import seed_of
from holdfast.drills.turn import Stage, Turn

CHANGES_PER_DAY = 6
POLISH = (" Be concise.", " Use short sentences.", " Use plain words.", " Prefer lists for steps.")


class Benign(msgspec.Struct, frozen=True):
    """A harmless change, and the version that requests carry after it (`dimension` empty: none)."""

    change: Change
    dimension: str = ""
    scope: dict[str, str] = {}
    version: str = ""
    polish: str = ""

    def apply(self, turn: Turn, stage: Stage) -> None:
        """Give the request the new version, and the prompt its new harmless sentence."""
        if turn.request.time_ns < self.change.time_ns or not turn.matches(self.scope):
            return
        if stage is Stage.RECEIVED and self.dimension == "prompt.version":
            turn.prompt_version = self.version
        elif stage is Stage.RECEIVED and self.dimension == "index.version":
            turn.index_version = self.version
        elif stage is Stage.PROMPTED and self.polish and self.polish not in turn.system:
            turn.system = turn.system.replace("\n", f"{self.polish}\n", 1) if "\n" in turn.system else turn.system + self.polish


def background(
    application: Application,
    seed: int,
    start_ns: int,
    seconds: float,
    injections: tuple[Injection, ...] = (),
    busy: tuple[tuple[str, str], ...] = (),
) -> tuple[Benign, ...]:
    """Harmless changes in [start, start + seconds), oldest first; at least two, one of them within half an hour of each onset.

    `busy` are (dimension, route) pairs whose versions somebody else changes.
    """
    rng = Random(seed_of(seed, "background"))
    count = max(2, round(rng.gauss(CHANGES_PER_DAY * seconds / 86400, 1)))
    times = [start_ns + int(rng.random() * seconds * NS_PER_S) for _ in range(count)]
    reach = min(1800.0, seconds / 20)
    for injection in injections:
        times.append(int(injection.onset_ns + rng.uniform(-reach, reach / 2) * NS_PER_S))
    taken = {(i.fault.bumps, i.scope.get("route", "")) for i in injections if i.fault.bumps} | set(busy)
    times = sorted(t for t in times if start_ns <= t < start_ns + seconds * NS_PER_S)
    return tuple(_benign(application, rng, time_ns, number, taken) for number, time_ns in enumerate(times))


def _benign(application: Application, rng: Random, time_ns: int, number: int, taken: set[tuple[str, str]]) -> Benign:
    kinds = [ChangeKind.CODE, ChangeKind.FLAG, ChangeKind.CONFIG, ChangeKind.DATA, ChangeKind.TOOL]
    routes = [r for r in application.routes if ("prompt.version", r.path) not in taken and ("prompt.version", "") not in taken]
    if routes:
        kinds += [ChangeKind.PROMPT] * 2
    if all(dimension != "index.version" for dimension, _ in taken):
        kinds.append(ChangeKind.INDEX)
    kind = rng.choice(kinds)
    if kind is ChangeKind.PROMPT:
        route = rng.choice(routes)
        taken.add(("prompt.version", route.path))
        version = next_version(route.prompt)
        change = change_of(application, kind, time_ns, "system-prompt", (route.prompt, version), {"route": route.path})
        return Benign(change, "prompt.version", {"route": route.path}, version, rng.choice(POLISH))
    if kind is ChangeKind.INDEX:
        taken.add(("index.version", ""))
        version = next_version(INDEX_VERSION)
        return Benign(
            change_of(application, kind, time_ns, "knowledge-base", (INDEX_VERSION, version), {}), "index.version", {}, version
        )
    return Benign(_other(application, rng, kind, time_ns, number))


def _other(application: Application, rng: Random, kind: ChangeKind, time_ns: int, number: int) -> Change:
    release = f"2.{14 + number}.{rng.randrange(9)}"
    options: dict[ChangeKind, tuple[str, tuple[str, str]]] = {
        ChangeKind.CODE: (rng.choice(("api", "post-processor", "web-widget", "streaming-proxy")), ("2.13.0", release)),
        ChangeKind.FLAG: (rng.choice(("new-header", "dark-mode", "beta-banner")), ("off", "on")),
        ChangeKind.CONFIG: (rng.choice(("log-level", "autoscaling", "http-pool")), ("4", "8")),
        ChangeKind.DATA: ("article-import", ("batch-101", f"batch-{102 + number}")),
        ChangeKind.TOOL: (rng.choice([tool.name for tool in application.tools] or ["search"]), ("1.4.0", f"1.4.{number + 1}")),
    }
    target, values = options[kind]
    scope: dict[str, str] = {}
    if kind is ChangeKind.DATA:
        scope = {"document.source": rng.choice(application.sources)}
    elif kind is ChangeKind.TOOL:
        scope = {"tool": target}
    return change_of(application, kind, time_ns, target, values, scope)


def change_of(
    application: Application, kind: ChangeKind, time_ns: int, target: str, values: tuple[str, str], scope: dict[str, str]
) -> Change:
    """A change event of the application; `values` are from and to."""
    return Change(
        id=derived_id("chg", application.service, target, time_ns),
        time_ns=time_ns,
        kind=kind,
        source=f"/deployments/{application.service}",
        subject=target,
        target=target,
        from_value=values[0],
        to_value=values[1],
        service=application.service,
        scope=scope,
    )
