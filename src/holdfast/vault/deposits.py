"""`Deposits`: from the receiver to the vault, behind the acknowledgement: nobody waits for it, and nothing fails by it."""

import threading
from collections.abc import Callable, Sequence
from enum import StrEnum
from itertools import islice
from pathlib import Path

import structlog

from holdfast.context.memo import Memo
from holdfast.context.originals import Original
from holdfast.core.clock import NS_PER_S, SystemClock
from holdfast.core.errors import HoldfastError
from holdfast.vault.keys import load_keys
from holdfast.vault.store import Vault, VaultPolicy

log = structlog.get_logger(__name__)

MAX_WAITING = 20_000
"""Different values that wait at a time; more are dropped, and counted."""
BATCH = 2_000
AGAIN_NS = 3600 * NS_PER_S
"""A value that was kept is not written again for this long, in the time of the telemetry."""
TICK_S = 0.2
LONGEST_PAUSE_S = 10.0
MAX_TRIES = 6
"""A batch that the vault refused as often is dropped: what is sensitive does not wait in memory for ever."""


def open_deposits(url: str, key_file: Path, policy: VaultPolicy, told: Callable[[str, int], None]) -> "Deposits":
    """Deposits into the vault at `url`, for a process that knows no more of it; see `Vault` and `Deposits`."""
    return Deposits(lambda: Vault(url, load_keys(key_file), policy, SystemClock()), told)


class Fate(StrEnum):
    """What became of an original."""

    KEPT = "kept"
    DROPPED = "dropped"
    FAILED = "failed"


class Deposits:
    """Takes originals at once and seals them on a thread of its own. Safe to use from several threads.

    Args:
        build: opens the vault; called on that thread, and again after it failed.
        told: is told how many originals met which fate.
    """

    def __init__(self, build: Callable[[], Vault], told: Callable[[str, int], None] = lambda _fate, _count: None) -> None:
        self._build, self._told = build, told
        self._waiting: dict[tuple[str, str, str], Original] = {}
        self._written: Memo[int] = Memo(max_entries=50_000)
        self._vault: Vault | None = None
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="vault", daemon=True)
        self._thread.start()

    def offer(self, originals: Sequence[Original]) -> None:
        """Takes what there is room for. Neither waits nor raises."""
        dropped = 0
        with self._wake:
            for original in originals:
                key = original.key
                written = self._written.get(key)
                if written is not None and original.time_ns - written < AGAIN_NS:
                    continue
                if key not in self._waiting and (self._closing or len(self._waiting) >= MAX_WAITING):
                    dropped += 1
                    continue
                self._waiting[key] = original
            self._wake.notify()
        if dropped:
            self._told(Fate.DROPPED, dropped)

    def close(self, timeout_s: float = 10.0) -> None:
        """Seals what waits, and closes the vault; what takes longer than `timeout_s` is lost, and its number logged."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            log.error("the vault did not take all originals in time", lost=len(self._waiting))

    def _run(self) -> None:
        tries, pause = 0, TICK_S
        while True:
            batch, closing = self._next(pause if tries else TICK_S)
            if not batch:
                if closing:
                    break
                continue
            if self._keep(batch):
                tries, pause = 0, TICK_S
                continue
            tries, pause = tries + 1, min(2 * pause, LONGEST_PAUSE_S)
            if tries >= MAX_TRIES or closing:
                self._told(Fate.FAILED, self._drop(batch))
                tries = 0
        if self._vault is not None:
            self._vault.close()

    def _next(self, wait_s: float) -> tuple[list[Original], bool]:
        """What is sealed next; it waits on until it is kept."""
        with self._wake:
            self._wake.wait_for(lambda: self._closing, timeout=wait_s)
            return list(islice(self._waiting.values(), BATCH)), self._closing

    def _keep(self, batch: list[Original]) -> bool:
        try:
            if self._vault is None:
                self._vault = self._build()
            self._vault.keep(batch)
        except HoldfastError as error:
            log.error("originals were not sealed", error=str(error), waiting=len(self._waiting))
            return False
        except Exception as error:  # noqa: BLE001 - the edge of a thread
            # A thread that ends would keep values in memory. Not the traceback: a library's may quote them.
            log.error("originals were not sealed", kind=type(error).__name__, waiting=len(self._waiting))
            return False
        count = self._drop(batch)
        with self._wake:
            for original in batch:
                self._written.put(original.key, original.time_ns, 1)
        self._told(Fate.KEPT, count)
        return True

    def _drop(self, batch: list[Original]) -> int:
        """Takes a batch out of what waits; what was found again in the meantime, later, is taken out with it."""
        with self._wake:
            for original in batch:
                self._waiting.pop(original.key, None)
        return len(batch)
