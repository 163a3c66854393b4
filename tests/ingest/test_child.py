"""A helper process does not outlive the one that started it."""

import subprocess
import sys
import threading
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from holdfast.ingest.child import COLLECT_AFTER, end

PARENT = """
import multiprocessing, os, sys, threading
from holdfast.ingest.child import follow_parent

def helper(out):
    follow_parent()
    print(os.getpid(), flush=True)
    threading.Event().wait(600)

if __name__ == "__main__":
    multiprocessing.get_context("fork").Process(target=helper, args=(None,)).start()
    threading.Event().wait(600)
"""


def test_a_helper_ends_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        helper = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        # The end of its output is the end of the last process that could write to it.
        assert parent.stdout.read() == ""
    assert helper != parent.pid


def test_interrupts_are_left_to_the_parent() -> None:
    code = "import signal; from holdfast.ingest.child import follow_parent; follow_parent(); signal.raise_signal(signal.SIGINT)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_processes_that_hang_are_ended_at_once() -> None:
    executor = ProcessPoolExecutor(1, get_context("spawn"))
    hanging = executor.submit(wait_for_ever)
    end(executor)
    with pytest.raises(BrokenExecutor):
        hanging.result(timeout=20)


def wait_for_ever() -> None:
    threading.Event().wait()


def test_a_helper_that_settles_does_not_import_the_stages() -> None:
    heavy = {"alembic", "onnxruntime", "scipy", "sqlalchemy"}
    code = f"import sys, holdfast.ingest.child, holdfast.ingest.reading; print({heavy} & {{*sys.modules}})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_memory_that_has_settled_is_looked_at_seldom_but_is_looked_at() -> None:
    code = (
        "import gc; from holdfast.ingest.child import settle_memory; settle_memory();"
        "print(gc.isenabled(), gc.get_freeze_count() > 0, gc.get_threshold())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == f"True True ({COLLECT_AFTER}, 10, 10)\n"
