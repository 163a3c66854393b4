"""A real browser in front of a real server, for the tests that need one.

The browser is Debian's Chromium: `scripts/setup dev` installs it. Without it these tests fail, they are never skipped.
"""

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI
from playwright.sync_api import Browser, sync_playwright

from holdfast.api.goodbye import ApiServer, api_config
from holdfast.testing.server import free_ports

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
READY_S = 20.0


def chromium() -> str:
    """Path of the browser.

    Raises:
        FileNotFoundError: it is not installed; says what to do.
    """
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise FileNotFoundError("no chromium on this machine: run `scripts/setup dev`, or install the package chromium")
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def served(app: FastAPI, port: int = 0) -> Iterator[str]:
    """The application on a port of the loopback address, a free one where none is told, in a thread; its URL."""
    port = port or free_ports(1)[0]
    server = ApiServer(api_config(app, host="127.0.0.1", port=port))
    thread = threading.Thread(target=server.run, name="console under test")
    thread.start()
    try:
        _await(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        assert not thread.is_alive(), "the server did not stop"


def _await(port: int) -> None:
    pause = threading.Event()
    for _ in range(int(READY_S / 0.05)):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        pause.wait(0.05)
    raise TimeoutError("the server did not listen in time")
