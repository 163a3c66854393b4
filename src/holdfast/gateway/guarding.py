"""Runs the guards of a place over what was seen, and says what is to be done: the edge where a broken guard becomes a verdict."""

from collections.abc import Sequence
from time import perf_counter_ns

import msgspec
import structlog

from holdfast.control.snapshot import Guard, GuardMode, GuardPlace
from holdfast.core.clock import Clock
from holdfast.gateway.bucket import Bounded
from holdfast.gateway.compiled import Compiled
from holdfast.gateway.exchange import Enforced, Exchange, Ruling, Verdict
from holdfast.gateway.guards.protocol import Action, GuardKind, Judge, Seen
from holdfast.gateway.guards.registry import KINDS
from holdfast.gateway.over_blocking import OverBlocking
from holdfast.score.protocol import Preparing
from holdfast.score.text import CAP

log = structlog.get_logger(__name__)

MAX_SEGMENTS = 2_000
MAX_BLOCKS = 10_000
"""Blocks by guards that are remembered, so that support can lift one."""
MAX_WHY = 200


class Armed(msgspec.Struct, frozen=True):
    """A guard ready to run. `judge` is None where it cannot, and `broken` says why.

    `preparing` is the scorer behind it where that has work which is cheaper for many requests at once.
    """

    guard: Guard
    kind: GuardKind | None
    judge: Judge | None
    action: Action
    broken: str = ""
    preparing: Preparing | None = None


class Ready(msgspec.Struct, frozen=True):
    """An armed guard in the mode and at the threshold that this request meets it in."""

    armed: Armed
    mode: GuardMode
    threshold: float


class Opinion(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one guard says of one text: its score in [0, 1] or None, why, and the nanoseconds that it took."""

    ruling: Ruling
    score: float | None = None
    why: str = ""
    cost_ns: int = 0


class Guarding:
    """All guards of the snapshot in force, and what they have cost harmless people."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._armed: dict[str, Armed] = {}
        self._meets: Bounded[dict[GuardMode | None, list[Ready]]] = Bounded(MAX_SEGMENTS)
        self._estimates: Bounded[OverBlocking] = Bounded(MAX_SEGMENTS)
        self._blocked: Bounded[tuple[str, str]] = Bounded(MAX_BLOCKS)

    def arm(self, compiled: Compiled) -> list[Armed]:
        """Make the judges of a snapshot, and return those that are new; those of guards that did not change are kept."""
        known = self._armed
        self._armed = {}
        self._meets = Bounded(MAX_SEGMENTS)
        for guard in compiled.snapshot.desired.guards:
            before = known.get(guard.name)
            self._armed[guard.name] = before if before is not None and before.guard == guard else armed(guard)
        return [one for name, one in self._armed.items() if one is not known.get(name)]

    @property
    def broken(self) -> dict[str, str]:
        """Guards that cannot run, and why."""
        return {name: one.broken for name, one in self._armed.items() if one.broken}

    def knows(self, name: str) -> bool:
        """Whether the snapshot has a guard of this name, in whatever mode."""
        return name in self._armed

    def estimates(self) -> list[tuple[str, str, float, bool]]:
        """(guard, segment, share of harmless requests blocked, relaxed), for people and metrics."""
        now_ns = self._clock.now_ns()
        return [(str(k[0]), str(k[1]), e.share(now_ns), e.relaxed) for k, e in self._estimates.items() if isinstance(k, tuple)]

    def ready(self, exchange: Exchange, place: GuardPlace, mode: GuardMode | None = None) -> Sequence[Ready]:
        """The guards that this request meets there, in the order of the snapshot; `mode`: only those in it.

        Those that are off are left out.
        """
        if exchange.off or not exchange.compiled.guarded(place, exchange.route.name):
            return ()
        if exchange.effective.guards:
            found = self._ready(exchange, place)
            return found if mode is None else [one for one in found if one.mode is mode]
        tenant = exchange.dimensions.get("tenant", ("",))[0]
        key = (exchange.compiled.version, place, exchange.route.name, tenant)
        meets = self._meets.get(key, lambda: _by_mode(self._ready(exchange, place)))
        return meets.get(mode, ())

    def _ready(self, exchange: Exchange, place: GuardPlace) -> list[Ready]:
        tenant = exchange.dimensions.get("tenant", ("",))[0]
        enforced = exchange.effective.guards
        found = []
        for guard in exchange.compiled.guards(place, exchange.route.name, tenant):
            one = self._armed.get(guard.name)
            if one is None:
                continue
            if guard.name in enforced:
                found.append(Ready(one, GuardMode.ENFORCE, enforced[guard.name]))
            elif guard.mode is not GuardMode.OFF:
                found.append(Ready(one, guard.mode, guard.threshold))
        return found

    def run(self, exchange: Exchange, guards: Sequence[Ready], seen: Seen) -> tuple[Ready, Verdict] | None:
        """Run these here and now; the rest as `conclude`."""
        return self.conclude(exchange, guards, [opinion_of(one, seen) for one in guards])

    def conclude(self, exchange: Exchange, guards: Sequence[Ready], opinions: Sequence[Opinion]) -> tuple[Ready, Verdict] | None:
        """Write into the exchange what these guards said, and return the first that must act."""
        acting = None
        for one, opinion in zip(guards, opinions, strict=True):
            verdict = self._verdict(exchange, one, opinion)
            exchange.verdicts.append(verdict)
            if acting is None and one.mode is GuardMode.ENFORCE and self._acts(one, verdict):
                acting = one, verdict
        return acting

    @staticmethod
    def _acts(one: Ready, verdict: Verdict) -> bool:
        if verdict.ruling is Ruling.DENY:
            return verdict.enforced is not Enforced.RELAXED
        return verdict.ruling in (Ruling.ERROR, Ruling.NOT_RUN) and not one.armed.guard.fail_open

    def _verdict(self, exchange: Exchange, one: Ready, opinion: Opinion) -> Verdict:
        ruling, score = opinion.ruling, opinion.score
        enforced = Enforced.NONE
        if ruling is Ruling.DENY and one.mode is GuardMode.SHADOW:
            enforced = Enforced.SHADOW
        if score is not None and one.mode is GuardMode.ENFORCE and one.armed.guard.fail_open:
            relaxed = self._budget(exchange, one, score, ruling is Ruling.DENY)
            if relaxed and ruling is Ruling.DENY:
                enforced = Enforced.RELAXED
        guard = one.armed.guard
        return Verdict(
            guard=guard.name,
            kind=guard.kind,
            place=guard.place,
            mode=one.mode,
            ruling=ruling,
            enforced=enforced,
            score=score,
            threshold=one.threshold,
            why=opinion.why,
            cost_ns=opinion.cost_ns,
        )

    def blocked(self, exchange: Exchange, verdict: Verdict) -> None:
        """Remember whose block it is that the client is told the id of."""
        self._blocked.get(exchange.block_id, lambda: (verdict.guard, _segment(exchange)))

    def lifted(self, block_id: str) -> bool:
        """Somebody found a block wrong: it counts in full as harmless. False where it is not a block of this worker."""
        found = self._blocked.peek(block_id)
        estimate = None if found is None else self._estimates.peek(found)
        if found is None or estimate is None:
            return False
        estimate.lifted(self._clock.now_ns())
        log.warning("block lifted", guard=found[0], segment=found[1], block_id=block_id)
        return True

    def _budget(self, exchange: Exchange, one: Ready, score: float, blocks: bool) -> bool:
        """Count it for its segment; a guard that is to fail closed is never relaxed, so nothing is counted for it."""
        now_ns = self._clock.now_ns()
        segment = _segment(exchange)
        estimate = self._estimates.get((one.armed.guard.name, segment), lambda: OverBlocking(now_ns))
        before = estimate.relaxed
        # A leased guard is enforced because of an incident: people decided on its price.
        leased = one.armed.guard.name in exchange.effective.guards
        relaxed = estimate.record(score, blocks, exchange.user, one.armed.guard.over_blocking_budget, now_ns)
        if relaxed != before:
            log.warning(
                "guard relaxed" if relaxed else "guard in force again",
                guard=one.armed.guard.name,
                segment=segment,
                share=round(estimate.share(now_ns), 4),
            )
        return relaxed and not leased


def _by_mode(found: list[Ready]) -> dict[GuardMode | None, list[Ready]]:
    modes: dict[GuardMode | None, list[Ready]] = {None: found}
    for one in found:
        modes.setdefault(one.mode, []).append(one)
    return modes


def _segment(exchange: Exchange) -> str:
    """Whose budget it is: each route's, and within it each tenant's."""
    tenant = exchange.dimensions.get("tenant", ("",))[0]
    return f"{exchange.route.name}/{tenant}" if tenant else exchange.route.name


def opinion_of(one: Ready, seen: Seen) -> Opinion:
    """What one guard says, and what it cost. Never raises."""
    start = perf_counter_ns()
    ruling, score, why = judged(one, seen)
    return Opinion(ruling, score, why[:MAX_WHY], perf_counter_ns() - start)


def judged(one: Ready, seen: Seen) -> tuple[Ruling, float | None, str]:
    """What one guard says, its score, and why. Never raises."""
    if one.armed.judge is None:
        return Ruling.ERROR, None, one.armed.broken
    unseen = seen.asked.unseen if seen.on_request else ()
    try:
        found = one.armed.judge.judge(seen)
    except Exception as error:  # noqa: BLE001 - the runner's edge: a broken guard is a verdict, and the rest goes on
        return Ruling.ERROR, None, f"{type(error).__name__}: {error}"
    if found is not None and found.score >= one.threshold:
        return Ruling.DENY, found.score, found.why
    if unseen:
        return Ruling.NOT_RUN, None if found is None else found.score, f"content that it cannot read: {', '.join(unseen)}"
    if _longest(seen) > CAP:
        return Ruling.NOT_RUN, None if found is None else found.score, f"only the first {CAP} characters were read"
    if found is None:
        return Ruling.NOT_APPLICABLE, None, ""
    return Ruling.ALLOW, found.score, found.why


def _longest(seen: Seen) -> int:
    if seen.said is not None and not seen.on_request:
        return len(seen.said.text)
    return max((len(m.content) for m in seen.asked.messages if m.role in ("user", "tool")), default=0)


def armed(guard: Guard) -> Armed:
    """The guard with its judge, or with the reason why it has none."""
    kind = KINDS.get(guard.kind)
    if kind is None:
        return Armed(guard, None, None, Action.REFUSE, f"no such kind of guard: {guard.kind}")
    if guard.place not in kind.places:
        return Armed(guard, kind, None, kind.action, f"{guard.kind} cannot be placed on the {guard.place}")
    parameters = dict(guard.parameters)
    try:
        action = msgspec.convert(parameters.pop("action", kind.action), type=Action)
        if guard.place is GuardPlace.INPUT and action is Action.REDACT:
            raise ValueError("action redact is for answers")
        judge = kind.make(parameters)
        scorer = getattr(judge, "scorer", None)
        return Armed(guard, kind, judge, action, preparing=scorer if isinstance(scorer, Preparing) else None)
    except (msgspec.MsgspecError, ValueError) as error:
        return Armed(guard, kind, None, kind.action, f"{guard.name}: parameters: {error}")
