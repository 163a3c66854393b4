"""`DrillRuns`: drills that somebody ran from the console, one at a time, in a process of their own; results are files."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from threading import Lock, Thread

import msgspec
import structlog

from holdfast.core.clock import Clock
from holdfast.core.errors import ConflictError, InputError, NotFoundError, StoreError
from holdfast.core.ids import random_id
from holdfast.drills.decoys.registry import DECOYS
from holdfast.drills.faults.registry import FAULTS
from holdfast.drills.plan import ALL, HEALTHY
from holdfast.drills.scorecard import Scorecard
from holdfast.ingest.checkpoint import replace_file

log = structlog.get_logger(__name__)

COMMAND = (sys.executable, "-m", "holdfast", "drill")
LONGEST_S = 2 * 3600.0
MOST_NAMES, MOST_CALLS, LARGEST_SEED = 100, 20_000, 1_000_000
FEWEST_CALLS = 100
KEPT = 20
"""Runs that are kept; the oldest goes when another is done."""
TOLD = 500
"""Characters of what a run that failed said."""
NAMES: tuple[str, ...] = (ALL, HEALTHY, *FAULTS, *DECOYS)


class DrillOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run: names of faults, decoys, `healthy` or `all`; requests of each drill, 0 for as many as the seed says."""

    names: tuple[str, ...]
    seed: int = 1
    calls: int = 0

    def checked(self) -> "DrillOrder":
        """The same.

        Raises:
            InputError: a name is unknown, or a number out of range.
        """
        unknown = [name for name in self.names if name not in NAMES]
        if unknown or not 0 < len(self.names) <= MOST_NAMES:
            raise InputError(f"{unknown[0]!r} is no drill" if unknown else "name 1 to 100 drills", "names")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise InputError(f"must be from 0 to {LARGEST_SEED}", "seed")
        if self.calls and not FEWEST_CALLS <= self.calls <= MOST_CALLS:
            raise InputError(f"must be 0, or from {FEWEST_CALLS} to {MOST_CALLS}", "calls")
        return self

    def words(self) -> list[str]:
        """As the command line takes it."""
        return [*self.names, "--seed", str(self.seed), *(["--calls", str(self.calls)] if self.calls else []), "--json"]


class DrillRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `ended_ns` is 0 while it goes on; `error` says why there is no scorecard then."""

    id: str
    order: DrillOrder
    by: str
    started_ns: int
    ended_ns: int = 0
    error: str = ""
    scorecard: Scorecard | None = None

    @property
    def state(self) -> str:
        """running, done or failed."""
        if not self.ended_ns:
            return "running"
        return "failed" if self.error else "done"


class DrillRuns:
    """Starts runs and keeps what came of them. Safe to use from several threads.

    A run ends after two hours at the latest, and with the server; what was running when a server died is gone, and nothing is
    told of it.

    Args:
        folder: where results are, a file each.
        clock: the time.
        command: what runs drills and prints a scorecard as JSON; names and options are added.
        longest_s: after that a run is ended.
    """

    def __init__(self, folder: Path, clock: Clock, command: Sequence[str] = COMMAND, longest_s: float = LONGEST_S) -> None:
        self._folder = folder
        self._clock = clock
        self._command = (*_politely(), *command)
        self._longest_s = longest_s
        self._lock = Lock()
        self._running: DrillRun | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: Thread | None = None
        self._closed = False

    def start(self, order: DrillOrder, by: str) -> DrillRun:
        """Begins a run.

        Raises:
            InputError: the order will not do.
            ConflictError: another one is running, or the server ends.
            StoreError: it could not be started.
        """
        order.checked()
        with self._lock:
            if self._running is not None or self._closed:
                raise ConflictError("another run is going on: wait for its end")
            run = DrillRun(id=random_id("run"), order=order, by=by, started_ns=self._clock.now_ns())
            said = _Said()
            try:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._process = subprocess.Popen(  # noqa: S603 - the words are checked against the drills that there are
                    [*self._command, *order.words()],
                    stdin=subprocess.DEVNULL,
                    stdout=said.out,
                    stderr=said.err,
                    start_new_session=True,
                )
            except OSError as error:
                said.close()
                raise StoreError(f"drills cannot be run: {error}") from error
            self._running = run
            self._thread = Thread(target=self._await, args=(run, self._process, said), name="drills")
            self._thread.start()
        return run

    def runs(self) -> list[DrillRun]:
        """The one that is running and those that are kept, newest first, without those whose file cannot be read."""
        with self._lock:
            running = self._running
        kept = [run for path in self._files() if (run := _read(path)) is not None]
        # It may have ended since.
        going_on = [running] if running and all(run.id != running.id for run in kept) else []
        return [*going_on, *sorted(kept, key=lambda run: -run.started_ns)]

    def run(self, run_id: str) -> DrillRun:
        """One of them.

        Raises:
            NotFoundError: there is none of this id.
        """
        found = next((run for run in self.runs() if run.id == run_id), None)
        if found is None:
            raise NotFoundError(f"no run {run_id!r}")
        return found

    def close(self) -> None:
        """Ends what is running and lets nothing begin. It comes to be told as failed."""
        with self._lock:
            self._closed = True
            process, thread = self._process, self._thread
        if process is not None and process.poll() is None:
            _end(process)
        if thread is not None:
            thread.join()

    def wait(self, timeout_s: float) -> bool:
        """Whether nothing is running any more, after waiting so long for it."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()

    def _await(self, run: DrillRun, process: "subprocess.Popen[bytes]", said: "_Said") -> None:
        error, card = "", None
        try:
            process.wait(self._longest_s)
        except subprocess.TimeoutExpired:
            _end(process)
            error = f"ended after {self._longest_s:.0f} s"
        if not error:
            error, card = _outcome(process.returncode, said)
        said.close()
        ended = msgspec.structs.replace(run, ended_ns=max(self._clock.now_ns(), run.started_ns + 1), error=error, scorecard=card)
        try:
            replace_file(self._folder / f"{run.id}.json", msgspec.json.encode(ended))
            for path in self._files()[KEPT:]:
                path.unlink(missing_ok=True)
        except (StoreError, OSError) as failure:
            log.error("what came of drills is not kept", run=run.id, error=str(failure))
        with self._lock:
            self._running = self._process = None

    def _files(self) -> list[Path]:
        """Newest first."""
        return sorted(self._folder.glob("run_*.json"), key=_written_ns, reverse=True)


class _Said:
    """What a process writes, in files that nobody else sees."""

    def __init__(self) -> None:
        self.out, self.err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - closed by who waits for the end

    def read(self) -> tuple[bytes, bytes]:
        """All of its output, and the end of its complaints."""
        self.out.seek(0)
        self.err.seek(max(self.err.seek(0, os.SEEK_END) - TOLD, 0))
        return self.out.read(), self.err.read()

    def close(self) -> None:
        """Forgets them."""
        self.out.close()
        self.err.close()


def _outcome(code: int, said: _Said) -> tuple[str, Scorecard | None]:
    out, err = said.read()
    if code:
        return f"exit code {code}: {err.decode('utf-8', 'replace').strip()}", None
    try:
        return "", msgspec.json.decode(out, type=Scorecard)
    except (msgspec.MsgspecError, ValueError) as error:
        return f"no scorecard came out: {error}", None


def _written_ns(path: Path) -> int:
    """0 for a file that went away meanwhile."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _read(path: Path) -> DrillRun | None:
    """None for a file that went away meanwhile, or was written by another version."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=DrillRun)
    except (OSError, msgspec.MsgspecError, ValueError):
        return None


def _politely() -> tuple[str, ...]:
    """In front of the command: drills must not take the processor from the pipeline."""
    return ("nice", "-n", "10") if shutil.which("nice") else ()


def _end(process: "subprocess.Popen[bytes]") -> None:
    """The process and all that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()
