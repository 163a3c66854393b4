"""Requests that meet at a guard are read together: with short texts, most of the time goes into the number of steps."""

from collections.abc import Iterable, Sequence

import structlog

from holdfast.core.trace import Trace
from holdfast.gateway.guarding import Ready
from holdfast.gateway.guards.protocol import Seen
from holdfast.score.protocol import Preparing

log = structlog.get_logger(__name__)

Reading = tuple[Sequence[Ready], Seen]


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
