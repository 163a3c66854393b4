"""How processes behave: helpers leave interrupts to their parent, and never outlive it or hold up its end; all of them settle.

A helper imports what is sent to it by name: this module has few imports, so that helpers start fast and stay small.
"""

import gc
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor

COLLECT_AFTER = 50_000
"""Containers made and not yet freed before the cycle collector looks at the young ones; Python's own default is 700."""


def settle_memory() -> None:
    """Tells the cycle collector to leave alone what was imported, and to come less often: it took a tenth of the time.

    What flows through the pipeline is trees, which go without it; cycles are left by exceptions and libraries only.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 10, 10)


def follow_parent() -> None:
    """To be called first in a process that `multiprocessing` started."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when to stop
    threading.Thread(target=_leave_with_parent, name="parent-watch", daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


def end(executor: ProcessPoolExecutor) -> None:
    """Ends the processes of `executor` at once: one that hangs would otherwise hold up the end of this process too."""
    for process in list((executor._processes or {}).values()):  # `kill_workers` has been public only since Python 3.14
        process.kill()
    executor.shutdown(wait=True, cancel_futures=True)
