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

SPANS_PER_CALL = 5.9
SIZES = (10_000, 100_000)
MILLION = 1_000_000


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


def measure(file: Path) -> tuple[float, float, float]:
    """(wall s, CPU s, peak MB) of analysing `file` in another process."""
    command = [sys.executable, "-m", "holdfast", "analyze", str(file), "--json"]
    started = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"analyze failed with {child.returncode}")
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def speed() -> float:
    """Million additions per second of this machine now: what the figures are worth."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    sum(range(10_000_000))
    return 10 / max(resource.getrusage(resource.RUSAGE_SELF).ru_utime - before, 1e-6)


def main() -> None:
    """Runs all sizes."""
    print("   spans   million additions/s   spans/s   spans/CPU s    CPU s   peak MB")
    for spans in (*SIZES, MILLION) if "--million" in sys.argv else SIZES:
        with TemporaryDirectory(prefix="holdfast-bench-") as folder:
            file = written(Path(folder), spans)
            now = speed()
            wall, cpu, peak = measure(file)
        print(f"{spans:8d}   {now:19.0f}   {spans / wall:7.0f}   {spans / cpu:11.0f}   {cpu:6.1f}   {peak:7.0f}", flush=True)


if __name__ == "__main__":
    main()
