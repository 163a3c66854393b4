"""How helper processes behave: they leave interrupts to their parent, and never outlive it or hold up its end."""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor


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
