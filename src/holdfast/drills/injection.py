"""`Injection`: a fault at work in one application: since when, for whom, how hard; and the change event that brought it."""

from enum import StrEnum
from random import Random

import msgspec

from holdfast.core.change import Change
from holdfast.core.clock import NS_PER_S
from holdfast.core.errors import ConfigurationError
from holdfast.core.ids import derived_id
from holdfast.drills.application import Application
from holdfast.drills.faults.fault import Fault
from holdfast.drills.traffic import LANGUAGES, REGIONS, TENANTS, seed_of
from holdfast.drills.turn import Stage, Turn

LATE = ("document.source", "tool")
"""Dimensions that are known only when documents or tools were used."""


class Ramp(StrEnum):
    """How the harm sets in."""

    STEP = "step"
    LINEAR = "linear"
    FLAPPING = "flapping"


class Injection(msgspec.Struct, frozen=True, kw_only=True):
    """One fault at work.

    Args:
        scope: what the change was limited to; `cohort`: the smallest conjunction that the harmed requests have in common.
        change_ns: when the change event happened; onset_ns ≥ change_ns: when harm begins; end_ns: when it is over.
        rate: probability that a request of the cohort is struck at full ramp.
        rollout: share of users that get the new version.
        version: value of the bumped dimension since the change.
    """

    fault: Fault
    scope: dict[str, str]
    cohort: dict[str, str]
    change: Change | None
    change_ns: int
    onset_ns: int
    end_ns: int
    rate: float
    ramp: Ramp = Ramp.STEP
    ramp_ns: int = 3600 * NS_PER_S
    rollout: float = 1.0
    version: str = ""

    def covers(self, turn: Turn) -> bool:
        """Whether the change applies to this request, as far as is known when it arrives."""
        if not self.change_ns <= turn.request.time_ns < self.end_ns:
            return False
        if self.fault.shape and turn.route.shape != self.fault.shape:
            return False
        early = {name: value for name, value in self.scope.items() if name not in LATE}
        if not turn.matches(early):
            return False
        return self.rollout >= 1 or seed_of(turn.request.user.id, self.fault.name) % 1000 < self.rollout * 1000

    def enters(self, turn: Turn) -> None:
        """Give the request the new version."""
        if self.fault.bumps == "prompt.version":
            turn.prompt_version = self.version
        elif self.fault.bumps == "index.version":
            turn.index_version = self.version

    def touches(self, turn: Turn, stage: Stage) -> bool:
        """Whether the conditions that show only later hold at this stage."""
        late = {name: value for name, value in self.scope.items() if name in LATE}
        return not late or (stage not in (Stage.RECEIVED,) and turn.matches(late))

    def intensity(self, time_ns: int) -> float:
        """Share of full strength at this time, in [0, 1]."""
        since = time_ns - self.onset_ns
        if since < 0 or time_ns >= self.end_ns:
            return 0.0
        if self.ramp is Ramp.LINEAR:
            return min(1.0, since / self.ramp_ns)
        if self.ramp is Ramp.FLAPPING:
            return 1.0 if since // (self.ramp_ns // 4) % 2 == 0 else 0.0
        return 1.0


class Fate:
    """What the injections do to one turn; called after each stage of the script."""

    def __init__(self, injections: tuple[Injection, ...], turn: Turn) -> None:
        self._live: list[tuple[Injection, Random, bool]] = []
        for injection in injections:
            if injection.covers(turn):
                chaos = Random(turn.request.seed ^ seed_of(injection.fault.name))
                struck = chaos.random() < injection.rate * injection.intensity(turn.request.time_ns)
                injection.enters(turn)
                self._live.append((injection, chaos, struck))

    def __call__(self, turn: Turn, stage: Stage) -> None:
        """Reach into the turn after `stage`. A fault whose first strike finds nothing to damage leaves the request alone."""
        for i, (injection, chaos, striking) in enumerate(self._live):
            fault = injection.fault
            if not (stage in fault.exposes or stage in fault.strikes) or not injection.touches(turn, stage):
                continue
            turn.scope = injection.scope
            if stage in fault.exposes:
                fault.exposes[stage](turn, chaos)
            if striking and stage in fault.strikes:
                if fault.strikes[stage](turn, chaos):
                    turn.struck.add(fault.name)
                elif fault.name not in turn.struck:
                    self._live[i] = (injection, chaos, False)


def natural_scope(fault: Fault, application: Application, rng: Random) -> dict[str, str]:
    """Values for the dimensions that the fault's natural cohort fixes."""
    names = fault.cohort or (("route",) if fault.shape and fault.bumps != "index.version" else ())
    return {name: _natural_value(name, fault, application, rng) for name in names}


def _natural_value(name: str, fault: Fault, application: Application, rng: Random) -> str:
    if name == "route":
        return application.first(fault.shape or "rag").path
    languages = tuple(dict.fromkeys(language for options in LANGUAGES.values() for language, _ in options if language != "en"))
    values = {
        "document.source": application.sources[:4],
        "tool": tuple(tool.name for tool in application.tools),
        "region": REGIONS,
        "language": tuple(language for language in languages if language in application.articles),
        "tenant": TENANTS[:3],
    }
    if name not in values:
        raise ConfigurationError(f"fault {fault.name}: no natural value for the dimension {name!r}")
    return rng.choice(values[name])


def next_version(version: str) -> str:
    """The version after this one: ``chat-v7`` → ``chat-v8``, ``kb-2026-09-14`` → ``kb-2026-09-21``."""
    head, _, tail = version.rpartition("-")
    if tail.startswith("v") and tail[1:].isdigit():
        return f"{head}-v{int(tail[1:]) + 1}"
    return f"{head}-{int(tail) + 7:02d}"


def change_event(fault: Fault, service: str, scope: dict[str, str], time_ns: int, values: tuple[str, str]) -> Change | None:
    """The change event that brought the fault, None for one that nobody caused; `values` are from and to."""
    if fault.change is None:
        return None
    target = scope.get("tool", fault.target)
    return Change(
        id=derived_id("chg", service, fault.name, time_ns),
        time_ns=time_ns,
        kind=fault.change,
        source=f"/deployments/{service}",
        subject=target,
        target=target,
        from_value=values[0],
        to_value=values[1],
        service=service,
        scope=scope,
    )
