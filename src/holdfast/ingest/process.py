"""The receiver as a process of its own, and its handle in the process that started it."""

import multiprocessing
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Self

from holdfast.core.errors import ConfigurationError, HoldfastError, StoreError
from holdfast.ingest.receiver import Endpoints, ReceiverConfig, serve


class ReceiverProcess:
    """A receiver in a child process. It stops by itself, in good order, when this process is gone, however it went.

    Raises:
        ConfigurationError, StoreError: what the child could not do, in its words, or it was not ready within `ready_timeout_s`.
    """

    def __init__(self, config: ReceiverConfig, ready_timeout_s: float = 30.0) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(config, theirs), name="holdfast-receiver")
        self._process.start()
        theirs.close()
        self.endpoints = self._await_ready(ready_timeout_s)

    def _await_ready(self, timeout_s: float) -> Endpoints:
        try:
            answer = self._ours.recv() if self._ours.poll(timeout_s) else f"the receiver was not ready within {timeout_s:g} s"
        except EOFError:
            self._process.join(timeout_s)
            answer = StoreError(f"the receiver ended with exit code {self._process.exitcode} before it was ready")
        if isinstance(answer, Endpoints):
            return answer
        self.kill()
        raise answer if isinstance(answer, HoldfastError) else StoreError(str(answer))

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid or 0

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative is the signal that ended it."""
        return self._process.exitcode

    def stop(self, timeout_s: float = 30.0) -> int | None:
        """Ask it to finish, wait for that, and return its exit code; what is not done by then is killed."""
        self._ours.close()
        self._process.terminate()
        self._process.join(timeout_s)
        if self._process.exitcode is None:
            self.kill()
        return self._process.exitcode

    def kill(self) -> None:
        """End it at once. Everything that was acknowledged is in the journal."""
        self._process.kill()
        self._process.join()
        self._ours.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _run(config: ReceiverConfig, parent: Connection) -> None:
    try:
        serve(config, parent.send, parent.fileno())
    except (ConfigurationError, StoreError) as error:
        with suppress(OSError):  # nobody is left to tell
            parent.send(error)
        raise SystemExit(2) from error
