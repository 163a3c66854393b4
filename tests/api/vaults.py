"""A vault with one original in it, and a trace that has its pseudonym."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from holdfast.context.entities import Entity
from holdfast.context.originals import Original
from holdfast.core.call import Call, Kind
from holdfast.core.clock import Clock
from holdfast.core.trace import ScoredTrace, Trace
from holdfast.vault.keys import load_keys, new_key_line
from holdfast.vault.store import Vault, VaultPolicy
from tests.report.conftest import MINUTE, START

VALUE = "joe@example.com"
CODE = "3fa9c1d2" + "0" * 56
PSEUDONYM = "EMAIL_ADDRESS:3fa9c1d2"


@contextmanager
def filled(folder: Path, clock: Clock, value: str = VALUE, application: str = "shop") -> Iterator[Vault]:
    """An open vault in `folder` that has `value` under `PSEUDONYM`."""
    keys = folder / "vault.key"
    if not keys.exists():
        keys.write_bytes(new_key_line())
        keys.chmod(0o600)
    vault = Vault(f"sqlite:///{folder}/vault.sqlite", load_keys(keys), VaultPolicy(), clock)
    try:
        vault.keep([original(clock, value, application)])
        yield vault
    finally:
        vault.close()


def original(clock: Clock, value: str = VALUE, application: str = "shop") -> Original:
    """What is in it."""
    return Original(application=application, entity=Entity.EMAIL_ADDRESS, code=CODE, value=value, time_ns=clock.now_ns())


def mentioning(number: int, **said: Any) -> ScoredTrace:
    """A trace of the application whose one call has the fields `said`."""
    call = Call(
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        kind=Kind.LLM,
        start_ns=START + 8 * MINUTE,
        end_ns=START + 8 * MINUTE + 5,
        dimensions={"service.name": ("shop",)},
        **said,
    )
    return ScoredTrace(Trace(call.trace_id, (call,)), ())
