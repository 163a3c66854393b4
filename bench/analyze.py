"""Cost of `holdfast analyze` by length of the file: spans/s of wall time, CPU seconds, peak memory. `python -m bench.analyze`.

Files of 10,000 and 100,000 spans of healthy traffic, with --million one more; each in a process of its own. CPU per span and
memory should not grow with the file. With --incident instead: 9,000 calls with a fault and changes, with inline scorers alone and
with the cascade that is the default; 20 and 60 seconds are asked on two cores.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

SPANS_PER_CALL = 5.9
SIZES = (10_000, 100_000)
MILLION = 1_000_000
INCIDENT, INCIDENT_CALLS = "grounding_rule_dropped", 9_000
SAMPLE_S = 0.1


def written(folder: Path, name: str, calls: int) -> Path:
    """A file of telemetry of so many calls."""
    options = ["--out", str(folder), "--seed", "3", "--calls", str(calls)]
    subprocess.run([sys.executable, "-m", "holdfast.drills.write", name, *options], check=True, stdout=subprocess.DEVNULL)
    return folder / "traces.jsonl.gz"


class Measured(NamedTuple):
    """Wall and CPU seconds, and the largest resident memory in MB: of the main process, and of all its processes together."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    all_mb: float


def measure(file: Path, *options: str, settings: Mapping[str, str] | None = None) -> Measured:
    """What it takes to analyse `file` in another process."""
    command = [sys.executable, "-m", "holdfast", "analyze", str(file), "--json", *options]
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, **(settings or {})}
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    together = 0.0
    while (done := os.wait4(child.pid, os.WNOHANG))[0] == 0:
        together = max(together, sum(resident_mb(pid) for pid in (child.pid, *descendants(child.pid))))
        time.sleep(SAMPLE_S)
    child.returncode = os.waitstatus_to_exitcode(done[1])
    if child.returncode:
        raise SystemExit(f"analyze failed with {child.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(time.monotonic() - started, cpu, done[2].ru_maxrss / 1024, together)


def descendants(pid: int) -> list[int]:
    """Processes that `pid` started, and theirs."""
    try:
        own = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return own + [grandchild for child in own for grandchild in descendants(child)]


def resident_mb(pid: int) -> float:
    """Resident memory of a process; pages that several share count in each."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
    except OSError:
        return 0.0


def speed() -> float:
    """Million additions per second of this machine now: what the figures are worth."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    sum(range(10_000_000))
    return 10 / max(resource.getrusage(resource.RUSAGE_SELF).ru_utime - before, 1e-6)


def with_incident() -> None:
    """Both settings of the cascade on one file with a fault."""
    print("scorers    million additions/s   wall s   asked   CPU s   peak MB   all processes MB")
    with TemporaryDirectory(prefix="holdfast-bench-") as folder:
        file = written(Path(folder), INCIDENT, INCIDENT_CALLS)
        for name, share, asked_s in (("inline", "0", 20), ("cascade", "0.3", 60)):
            now = speed()
            settings = {"HOLDFAST_SCORING__SECOND_OPINIONS": share}
            found = measure(file, "--changes", str(file.with_name("changes.jsonl")), settings=settings)
            costs = f"{found.wall_s:6.1f}   {asked_s:5d}   {found.cpu_s:5.1f}   {found.peak_mb:7.0f}   {found.all_mb:16.0f}"
            print(f"{name:8s}   {now:19.0f}   {costs}", flush=True)


def main() -> None:
    """Runs all sizes."""
    if "--incident" in sys.argv:
        with_incident()
        return
    print("   spans   million additions/s   spans/s   spans/CPU s    CPU s   peak MB   all processes MB")
    for spans in (*SIZES, MILLION) if "--million" in sys.argv else SIZES:
        with TemporaryDirectory(prefix="holdfast-bench-") as folder:
            file = written(Path(folder), "healthy", round(spans / SPANS_PER_CALL))
            now = speed()
            found = measure(file)
        rates = f"{spans / found.wall_s:7.0f}   {spans / found.cpu_s:11.0f}   {found.cpu_s:6.1f}"
        print(f"{spans:8d}   {now:19.0f}   {rates}   {found.peak_mb:7.0f}   {found.all_mb:16.0f}", flush=True)


if __name__ == "__main__":
    main()
