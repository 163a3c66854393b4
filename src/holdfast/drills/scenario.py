"""`Scenario`: which application, what breaks when and for whom, how much traffic, from which seed; `generate` plays it."""

from collections.abc import Iterator
from random import Random

import msgspec

from holdfast.core.call import Call
from holdfast.core.change import Change
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import ConfigurationError
from holdfast.drills.application import Application, load_application
from holdfast.drills.background import Benign, background
from holdfast.drills.decoys.decoy import Decoy
from holdfast.drills.decoys.registry import find_decoy
from holdfast.drills.faults.fault import Fault
from holdfast.drills.faults.registry import find_fault
from holdfast.drills.injection import Fate, Injection, Ramp, change_event, natural_scope, next_version
from holdfast.drills.render import Render
from holdfast.drills.script import INDEX_VERSION, begin, perform
from holdfast.drills.traffic import Request, Traffic, seed_of
from holdfast.drills.turn import Stage, Turn

START_NS = 1_789_970_400 * NS_PER_S
"""06:00 UTC on a Monday in September 2026: the default beginning, so that the default fault comes in the busiest hours."""


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One drill.

    Args:
        fault, decoy: name of one of them, or neither for healthy traffic. `second`: another fault at the same time.
        calls: number of requests (traces). hours: length of the period.
        fault_at: when the change happens, as a share of the period; delay_s: seconds from change to harm.
        duration_s: seconds that the harm lasts, None for the rest of the period.
        severity: factor on the fault's natural rate; 1 is a plain failure, 0.15 a subtle one.
        cohort: dimensions to limit the fault to, instead of its natural ones; up to three.
        rollout: share of users that get the change.
    """

    application: str = "support"
    fault: str = ""
    decoy: str = ""
    second: str = ""
    seed: int = 1
    start_ns: int = START_NS
    hours: float = 12.0
    calls: int = 9000
    fault_at: float = 0.6
    delay_s: float = 60.0
    duration_s: float | None = None
    severity: float = 1.0
    ramp: Ramp = Ramp.STEP
    cohort: dict[str, str] | None = None
    rollout: float = 1.0
    convention: str = ""
    """Encoding of the application's telemetry; empty for the application's own."""


class TraceSteps(msgspec.Struct, frozen=True):
    """One trace: its calls, root first; `struck` names the faults that harmed it,
    `harmed` says that its answer is bad, for whatever reason; `replica` is the process that served it.
    """

    calls: tuple[Call, ...]
    struck: tuple[str, ...] = ()
    harmed: bool = False
    replica: str = ""


class Play(msgspec.Struct, frozen=True):
    """A scenario worked out: everything that is decided before the first request."""

    scenario: Scenario
    application: Application
    injections: tuple[Injection, ...]
    benign: tuple[Benign, ...]
    decoy: Decoy | None

    @property
    def end_ns(self) -> int:
        """End of the period."""
        return self.scenario.start_ns + int(self.scenario.hours * 3600 * NS_PER_S)

    @property
    def moment_ns(self) -> int:
        """When the fault's change happens, or the decoy begins."""
        return _moment(self.scenario)

    @property
    def changes(self) -> list[Change]:
        """Every change event, oldest first."""
        found = [b.change for b in self.benign] + [i.change for i in self.injections if i.change is not None]
        return sorted(found, key=lambda change: (change.time_ns, change.id))


def prepare(scenario: Scenario) -> Play:
    """Work a scenario out.

    Raises:
        NotFoundError: no such application, fault or decoy.
        ConfigurationError: numbers out of range, or both a fault and a decoy.
    """
    check(scenario)
    application = load_application(scenario.application)
    faults = [find_fault(name) for name in (scenario.fault, scenario.second) if name]
    injections = tuple(inject(scenario, application, fault, number) for number, fault in enumerate(faults))
    decoy = find_decoy(scenario.decoy) if scenario.decoy else None
    own = decoy.changes(application, _moment(scenario)) if decoy is not None else ()
    busy = tuple((b.dimension, b.scope.get("route", "")) for b in own if b.dimension)
    others = background(application, scenario.seed, scenario.start_ns, scenario.hours * 3600, injections, busy)
    benign = tuple(sorted((*others, *own), key=lambda b: b.change.time_ns))
    return Play(scenario, application, injections, benign, decoy)


def check(scenario: Scenario) -> None:
    """Refuse numbers out of range.

    Raises:
        ConfigurationError: naming the field.
    """
    if scenario.fault and scenario.decoy:
        raise ConfigurationError("decoy: a scenario has a fault or a decoy, not both")
    for name in ("fault_at", "rollout"):
        if not 0 <= getattr(scenario, name) <= 1:
            raise ConfigurationError(f"{name}: must lie in [0, 1], not {getattr(scenario, name)}")
    for name in ("hours", "calls", "severity"):
        if getattr(scenario, name) <= 0:
            raise ConfigurationError(f"{name}: must be positive, not {getattr(scenario, name)}")
    if scenario.cohort is not None and len(scenario.cohort) > 3:
        raise ConfigurationError("cohort: at most three dimensions")


def _moment(scenario: Scenario) -> int:
    return scenario.start_ns + int(scenario.hours * 3600 * scenario.fault_at * NS_PER_S)


def inject(scenario: Scenario, application: Application, fault: Fault, number: int) -> Injection:
    """The fault as this scenario wants it; a second one begins a twelfth of the period later and keeps its natural cohort."""
    rng = Random(seed_of(scenario.seed, fault.name, "cohort"))
    change_ns = _moment(scenario) + int(number * scenario.hours * 300 * NS_PER_S)
    end_ns = scenario.start_ns + int(scenario.hours * 3600 * NS_PER_S)
    onset_ns = change_ns + int(scenario.delay_s * NS_PER_S)
    if scenario.duration_s is not None:
        end_ns = min(end_ns, onset_ns + int(scenario.duration_s * NS_PER_S))
    scope = dict(scenario.cohort) if scenario.cohort is not None and number == 0 else natural_scope(fault, application, rng)
    if fault.bumps == "prompt.version" and "route" not in scope:
        scope = {"route": application.first(fault.shape or "rag").path, **scope}
    old, new = _versions(fault, application, scope)
    cohort = _cohort(fault, scope, new)
    told = scope if rng.random() < 0.8 else {}
    return Injection(
        fault=fault,
        scope=scope,
        cohort=cohort,
        change=change_event(fault, application.service, told, change_ns, (old, new)),
        change_ns=change_ns,
        onset_ns=onset_ns,
        end_ns=end_ns,
        rate=min(1.0, fault.rate * scenario.severity),
        ramp=scenario.ramp,
        ramp_ns=int(scenario.hours * 600 * NS_PER_S),
        rollout=scenario.rollout,
        version=new if fault.bumps else "",
    )


def _cohort(fault: Fault, scope: dict[str, str], version: str) -> dict[str, str]:
    """The smallest conjunction that harmed requests have in common: a new version implies its route."""
    if fault.marks:
        return dict(fault.marks)
    if fault.bumps:
        return {fault.bumps: version, **{name: value for name, value in scope.items() if name != "route"}}
    return scope


def _versions(fault: Fault, application: Application, scope: dict[str, str]) -> tuple[str, str]:
    if fault.bumps == "prompt.version":
        old = application.route(scope["route"]).prompt
        return old, next_version(old)
    if fault.bumps == "index.version":
        return INDEX_VERSION, next_version(INDEX_VERSION)
    if fault.bumps == "model":
        return application.models["main"], application.models[fault.to_value or "small"]
    return fault.from_value or "2.13.0", fault.to_value or "2.14.0"


def generate(scenario: Scenario) -> Iterator[TraceSteps]:
    """The traces of a scenario, in order of arrival. The same scenario yields the same traces, byte for byte."""
    return play(prepare(scenario))


def play(prepared: Play) -> Iterator[TraceSteps]:
    """The traces of a scenario that was worked out."""
    scenario, decoy = prepared.scenario, prepared.decoy
    moment = _moment(scenario)
    traffic = Traffic(
        prepared.application,
        scenario.seed,
        noise_sd=decoy.noise_sd if decoy else 0.2,
        later=decoy.mix if decoy else None,
        later_ns=moment if decoy else None,
    )
    for request in traffic.requests(scenario.start_ns, scenario.hours * 3600, scenario.calls):
        yield serve(prepared, request)


def serve(prepared: Play, request: Request) -> TraceSteps:
    """One request, answered."""
    turn = begin(prepared.application, request)
    benign = [b for b in prepared.benign if b.dimension and b.change.time_ns <= request.time_ns]
    fate = Fate(prepared.injections, turn)
    decoy = prepared.decoy if request.time_ns >= _moment(prepared.scenario) else None

    def hook(turn: Turn, stage: Stage) -> None:
        for each in benign:
            each.apply(turn, stage)
        if decoy is not None and stage in decoy.shifts:
            decoy.shifts[stage](turn)
        fate(turn, stage)

    perform(turn, hook)
    return TraceSteps(Render(turn).calls(), tuple(sorted(turn.struck)), turn.harmed or bool(turn.struck), turn.replica)
