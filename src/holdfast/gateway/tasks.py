"""Ending tasks: asked more than once and never waited for without end, since a library below may miss a cancellation."""

import asyncio
from typing import Any

TRIES = 3


async def ended(*tasks: asyncio.Task[Any], patience_s: float = 1.0) -> bool:
    """Cancel `tasks` and wait for `patience_s`, at most three times; whether all have ended. What they raise is dropped."""
    pending = {task for task in tasks if not task.done()}
    for _ in range(TRIES):
        for task in pending:
            task.cancel()
        if pending:
            _, pending = await asyncio.wait(pending, timeout=patience_s)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()
    return not pending
