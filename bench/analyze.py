"""Cost of `holdfast analyze` by length of the file: spans/s of wall time, CPU seconds, peak memory. `python -m bench.analyze`.

Files of 10,000 and 100,000 spans of healthy traffic, with --million one more; each in a process of its own. CPU per span and
memory should not grow with the file.
"""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

SPANS_PER_CALL = 5.9
SIZES = (10_000, 100_000)
MILLION = 1_000_000
SAMPLE_S = 0.1


def written(folder: Path, spans: int) -> Path:
    """A file of about so many spans."""
    calls = round(spans / SPANS_PER_CALL)
    command = [
        sys.executable,
        "-m",
        "holdfast.drills.write",
        "healthy",
        "--out",
        str(folder),
        "--seed",
        "3",
        "--calls",
        str(calls),
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / "traces.jsonl.gz"


class Measured(NamedTuple):
    """Wall and CPU seconds, and the largest resident memory in MB: of the main process, and of all its processes together."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    all_mb: float


def measure(file: Path) -> Measured:
    """What it takes to analyse `file` in another process."""
    command = [sys.executable, "-m", "holdfast", "analyze", str(file), "--json"]
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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


def main() -> None:
    """Runs all sizes."""
    print("   spans   million additions/s   spans/s   spans/CPU s    CPU s   peak MB   all processes MB")
    for spans in (*SIZES, MILLION) if "--million" in sys.argv else SIZES:
        with TemporaryDirectory(prefix="holdfast-bench-") as folder:
            file = written(Path(folder), spans)
            now = speed()
            found = measure(file)
        rates = f"{spans / found.wall_s:7.0f}   {spans / found.cpu_s:11.0f}   {found.cpu_s:6.1f}"
        print(f"{spans:8d}   {now:19.0f}   {rates}   {found.peak_mb:7.0f}   {found.all_mb:16.0f}", flush=True)


if __name__ == "__main__":
    main()
