"""A folder has one owner, and says who."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.core.errors import StoreError
from holdfast.ingest.folder import hold_folder

HOLDER = """
import subprocess, sys, time
from pathlib import Path
from holdfast.ingest.folder import hold_folder
hold_folder(Path(sys.argv[1]), "folder")
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def test_a_second_owner_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    held = hold_folder(tmp_path, "journal")
    with pytest.raises(StoreError, match=f"journal {tmp_path}: process {os.getpid()} writes to it already; end it"):
        hold_folder(tmp_path, "journal")
    os.close(held)


def test_who_lets_go_leaves_it_to_the_next(tmp_path: Path) -> None:
    for _ in range(2):
        os.close(hold_folder(tmp_path, "journal"))


def test_a_killed_owner_lets_go_though_its_children_live_on(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        child = int(owner.stdout.readline())
        try:
            with pytest.raises(StoreError, match=f"process {owner.pid} "):
                hold_folder(tmp_path, "folder")
            owner.kill()
            owner.wait(10)
            os.close(hold_folder(tmp_path, "folder"))
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"gateway .*file/below: Not a directory"):
        hold_folder(tmp_path / "file" / "below", "gateway")
