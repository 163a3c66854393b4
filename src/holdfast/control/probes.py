"""Judged probes: what a judge says of an answer that a half-open breaker let through. Quality breakers close on nothing else."""

from collections import deque
from threading import Lock

import msgspec

from holdfast.control.effects import OpenBreaker
from holdfast.control.problem import MAX_NAME, MAX_VALUE
from holdfast.control.snapshot import Snapshot, Value
from holdfast.core.errors import InputError

MAX_KEPT = 1_000
"""Verdicts that are remembered, and can be asked for again."""
GOOD_IN_A_ROW = 5
"""Good verdicts without a bad one between them, after which a lease on a breaker ends early."""
MAX_CALL_BYTES = 262_144
"""Of an answer that is to be judged elsewhere, with the request that it answers."""


class ProbeVerdict(Value, frozen=True, kw_only=True):
    """One answer, judged. `rule`, `target` and `dimensions` say whose breaker it was; `lease_id` the lease that opened it.

    `judge`: who judged, such as a scorer's name. `good` None: nobody could judge it, and `reason` says why; that counts neither
    way. `number` is given on arrival, and counts from 1.
    """

    rule: str
    target: str
    good: bool | None
    judge: str
    dimensions: dict[str, str] = {}
    lease_id: str = ""
    trace_id: str = ""
    reason: str = ""
    time_ns: int = 0
    number: int = 0


class ProbeAnswer(Value, frozen=True, kw_only=True):
    """An answer to a probe of the lease `lease_id` that a judge of the server's is to judge, for no guard has the judge's name.

    `call`: request and answer as an OTLP/JSON request of one span, redacted, at most `MAX_CALL_BYTES` long.
    """

    lease_id: str
    target: str
    judge: str
    trace_id: str
    call: bytes
    time_ns: int = 0

    def verdict(self, good: bool | None, reason: str, time_ns: int) -> ProbeVerdict:
        """What its judge says of it at `time_ns`; None: nothing."""
        return ProbeVerdict(
            rule="",
            target=self.target,
            good=good,
            judge=self.judge,
            lease_id=self.lease_id,
            trace_id=self.trace_id,
            reason=reason[:MAX_VALUE],
            time_ns=time_ns,
        )


_decode = msgspec.json.Decoder(ProbeVerdict).decode


def decode_verdict(data: bytes) -> ProbeVerdict:
    """A verdict from its JSON form.

    Raises:
        InputError: it is none.
    """
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InputError(f"is no verdict: {error}", "probe") from error


class Probes:
    """The last verdicts, in order of arrival. Safe for threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: deque[ProbeVerdict] = deque(maxlen=MAX_KEPT)
        self._count = 0

    def add(self, verdict: ProbeVerdict) -> ProbeVerdict:
        """Keeps a verdict, and returns it with its number.

        Raises:
            InputError: it names no judge or nothing that was judged, or holds texts that are too long.
        """
        for name in ("target", "judge"):
            if not getattr(verdict, name):
                raise InputError("is empty", name)
        for name, longest in (("rule", MAX_NAME), ("target", MAX_NAME), ("judge", MAX_NAME), ("trace_id", MAX_NAME)):
            if len(getattr(verdict, name)) > longest:
                raise InputError(f"has over {longest} characters", name)
        texts = (verdict.reason, *verdict.dimensions, *verdict.dimensions.values())
        if any(len(text) > MAX_VALUE for text in texts) or len(verdict.dimensions) > 16:
            raise InputError(f"reason and dimensions have at most {MAX_VALUE} characters, dimensions 16 entries", "verdict")
        with self._lock:
            self._count += 1
            kept = msgspec.structs.replace(verdict, number=self._count)
            self._kept.append(kept)
        return kept

    def after(self, number: int) -> list[ProbeVerdict]:
        """The verdicts with a higher number that are still remembered, oldest first."""
        with self._lock:
            return [verdict for verdict in self._kept if verdict.number > number]

    def closes(self, lease_id: str) -> bool:
        """Whether the last `GOOD_IN_A_ROW` probes of a lease that could be judged were all good."""
        with self._lock:
            last = [v.good for v in self._kept if v.lease_id == lease_id and v.good is not None][-GOOD_IN_A_ROW:]
        return len(last) == GOOD_IN_A_ROW and all(last)


def judged_lease(snapshot: Snapshot, said: ProbeVerdict | ProbeAnswer) -> str:
    """Id of the live breaker lease that is spoken of; empty where it is of another target, or asks for another judge."""
    for lease in snapshot.live(said.time_ns):
        if lease.id == said.lease_id and isinstance(lease.effect, OpenBreaker):
            wanted = lease.effect.judge
            return lease.id if lease.effect.target == said.target and bool(wanted) and wanted == said.judge else ""
    return ""
