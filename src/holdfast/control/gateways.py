"""What the gateways say of themselves: which snapshot each runs, and how its breakers stand. In memory, bounded."""

from collections import OrderedDict
from enum import StrEnum
from threading import Lock

from holdfast.control.snapshot import Value
from holdfast.core.clock import NS_PER_S, Clock
from holdfast.core.errors import BackpressureError, InputError

MAX_GATEWAYS = 1_000
MAX_BREAKERS = 1_000
"""Breakers in one report, at most; a gateway sends those that are not closed first."""
MAX_ID = 128
SILENT_NS = 30 * NS_PER_S
"""After this a gateway counts as silent: what it runs is not known any more."""
FORGOTTEN_NS = 3_600 * NS_PER_S


class BreakerPosition(StrEnum):
    """How a breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    FORCED = "forced"


class BreakerStatus(Value, frozen=True, kw_only=True):
    """One breaker of a gateway: the rule's name, whose it is, and what it has seen within its window."""

    rule: str
    target: str
    dimensions: dict[str, str] = {}
    position: BreakerPosition
    since_ns: int
    seen: int = 0
    bad: int = 0
    shadow: bool = False


class GatewayReport(Value, frozen=True, kw_only=True):
    """What a gateway says of itself. `version`: of the snapshot that it runs; `refused` why it did not take a newer one.

    `interventions` is false while its local kill switch is on; `spooled` and `dropped` count telemetry that waits and that was
    lost.
    """

    version: int
    started_ns: int
    refused: str = ""
    interventions: bool = True
    templates_forced: bool = False
    breakers: tuple[BreakerStatus, ...] = ()
    spooled: int = 0
    dropped: int = 0
    counters: dict[str, float] = {}


class KnownGateway(Value, frozen=True, kw_only=True):
    """A gateway as it was last heard of."""

    id: str
    heard_ns: int
    silent: bool
    report: GatewayReport


class Gateways:
    """The last report of each gateway. Safe for threads.

    Args:
        clock: tells which are silent.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._heard: OrderedDict[str, tuple[int, GatewayReport]] = OrderedDict()

    def report(self, gateway_id: str, report: GatewayReport) -> None:
        """Takes a report in, over the last one of this gateway.

        Raises:
            InputError: the id is empty or too long, or there are too many breakers in it.
            BackpressureError: there are `MAX_GATEWAYS` others, none of them forgotten yet.
        """
        if not gateway_id or len(gateway_id) > MAX_ID or not gateway_id.isprintable():
            raise InputError(f"must have 1 to {MAX_ID} printable characters", "gateway_id")
        if len(report.breakers) > MAX_BREAKERS or len(report.counters) > MAX_BREAKERS:
            raise InputError(f"has over {MAX_BREAKERS} breakers or counters", "breakers")
        now_ns = self._clock.now_ns()
        with self._lock:
            self._forget(now_ns)
            if gateway_id not in self._heard and len(self._heard) >= MAX_GATEWAYS:
                raise BackpressureError(f"{MAX_GATEWAYS} gateways report here already", retry_after_s=60)
            self._heard[gateway_id] = (now_ns, report)
            self._heard.move_to_end(gateway_id)

    def known(self) -> list[KnownGateway]:
        """All that were heard of within the last hour, by id."""
        now_ns = self._clock.now_ns()
        with self._lock:
            self._forget(now_ns)
            heard = sorted(self._heard.items())
        return [
            KnownGateway(id=key, heard_ns=heard_ns, silent=now_ns - heard_ns > SILENT_NS, report=report)
            for key, (heard_ns, report) in heard
        ]

    def _forget(self, now_ns: int) -> None:
        while self._heard:
            first = next(iter(self._heard))
            if now_ns - self._heard[first][0] <= FORGOTTEN_NS:
                return
            del self._heard[first]
