"""Requests that meet at a guard are read together: with short texts, most of the time goes into the number of steps.

And guards read something before they meet anybody: models that are loaded on first use would keep the first request waiting.
"""

from collections.abc import Iterable, Sequence

import structlog

from holdfast.control.snapshot import GuardMode, GuardPlace
from holdfast.core.call import Message
from holdfast.core.trace import Trace
from holdfast.gateway.dialects.protocol import Asked, Said
from holdfast.gateway.guarding import Armed, Ready, judged
from holdfast.gateway.guards.protocol import Seen
from holdfast.score.protocol import Preparing

log = structlog.get_logger(__name__)

Reading = tuple[Sequence[Ready], Seen]
_QUESTION = (Message("system", "You are a helpful assistant."), Message("user", "Where is the parcel that I ordered last week?"))
_ANSWER = Said(text="It was sent on Monday, and should be with you by the end of the week.", finished=True)


def prepare(batch: Iterable[Reading]) -> None:
    """Let each scorer behind a guard read what it can of all requests at once. Never raises."""
    traces: dict[int, tuple[Preparing, dict[int, Trace]]] = {}
    for guards, seen in batch:
        for one in guards:
            scorer = one.armed.preparing
            if scorer is not None:
                traces.setdefault(id(scorer), (scorer, {}))[1][id(seen)] = seen.trace
    for scorer, wanted in traces.values():
        try:
            scorer.prepare(list(wanted.values()))
        except Exception as error:  # noqa: BLE001 - the runner's edge: each guard meets its text alone, and there it counts
            log.warning("texts could not be prepared together", scorer=type(scorer).__name__, error=type(error).__name__)


def warm(guards: Iterable[Armed]) -> None:
    """Let each of these read a harmless text twice, alone and with others, so that it has loaded what it needs. Never raises."""
    for one in guards:
        on_request = one.guard.place is GuardPlace.INPUT
        seen = [Seen(Asked(messages=_QUESTION), None if on_request else _ANSWER) for _ in range(2)]
        ready = Ready(one, GuardMode.SHADOW, one.guard.threshold)
        prepare(([ready], what) for what in seen)
        judged(ready, Seen(seen[0].asked, seen[0].said))
