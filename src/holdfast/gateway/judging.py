"""Where the opinions of guards come from: from the guard process, where the worker has one that is ready, else from here.

A client that waits, alone and with little to read, gets them from here: the way to the process and back takes longer than it
saves, and so does a turn of the event loop where no other request is under way. What arrives in one turn is one batch, and goes
to the process; so does what is long, and what arrives while the process is at work, to be part of its next batch.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from holdfast.gateway.exchange import Exchange, Verdict
from holdfast.gateway.guard_link import GuardLink
from holdfast.gateway.guard_words import encode_question
from holdfast.gateway.guarding import Guarding, Opinion, Ready, opinion_of
from holdfast.gateway.guards.protocol import Seen
from holdfast.gateway.together import prepare

MAX_HERE = 32
"""Requests that are read here in one turn of the event loop: more would keep everybody else waiting."""
LONG_BYTES = 8_192
"""A question from this size on takes so long to answer that others should not wait for it."""
Opinions = Sequence[Opinion | None]


class _Asking(NamedTuple):
    """A client that waits for opinions; None: it must form them itself, because nobody could be asked."""

    guards: Sequence[Ready]
    seen: Seen
    answer: "asyncio.Future[Opinions | None]"

    def told(self, opinions: Opinions | None) -> None:
        if not self.answer.done():
            self.answer.set_result(opinions)


class Judging:
    """Runs guards: here, while it has no `link`.

    Args:
        single: whether the request that asks is the only one under way.
    """

    def __init__(self, guarding: Guarding, single: Callable[[], bool] = lambda: False) -> None:
        self._guarding, self._single = guarding, single
        self._asking: list[_Asking] = []
        self.link: GuardLink | None = None

    async def judge(self, exchange: Exchange, guards: Sequence[Ready], seen: Seen) -> tuple[Ready, Verdict] | None:
        """Run these while the client waits, write their verdicts into the exchange, and return the first that must act."""
        if not self._asking and self._single() and _length(seen) < LONG_BYTES and (self.link is None or not self.link.busy):
            return self._guarding.run(exchange, guards, seen)
        loop = asyncio.get_running_loop()
        asking = _Asking(guards, seen, loop.create_future())
        self._asking.append(asking)
        if len(self._asking) == 1:
            loop.call_soon(self._turn)
        return self._guarding.conclude(exchange, guards, completed(guards, seen, await asking.answer))

    def _turn(self) -> None:
        asking, self._asking = self._asking, []
        here = [one for one in asking if not self._asked(one, alone=len(asking) == 1)]
        now, later = here[:MAX_HERE], here[MAX_HERE:]
        if later:
            self._asking = later
            asyncio.get_running_loop().call_soon(self._turn)
        prepare((one.guards, one.seen) for one in now)
        for one in now:
            one.told(None)

    def _asked(self, one: _Asking, alone: bool) -> bool:
        if self.link is None or not self.link.ready:
            return False
        before, after = (one.guards, ()) if one.seen.on_request else ((), one.guards)
        data = encode_question(before, after, one.seen)
        if data is None or (alone and not self.link.busy and len(data) < LONG_BYTES):
            return False
        return self.link.ask(data, one.told, urgent=True)

    def ask_later(
        self, before: Sequence[Ready], after: Sequence[Ready], seen: Seen, answered: Callable[[Opinions | None], None]
    ) -> bool:
        """Have these judged when nobody waits for it; False where that must be done here. `answered` as in `GuardLink.ask`."""
        if self.link is None or not self.link.ready:
            return False
        data = encode_question(before, after, seen)
        return data is not None and self.link.ask(data, answered, urgent=False)


def completed(guards: Sequence[Ready], seen: Seen, opinions: Opinions | None) -> list[Opinion]:
    """An opinion of each guard; those that are missing are formed here."""
    known = opinions if opinions is not None and len(opinions) == len(guards) else [None] * len(guards)
    return [said if said is not None else opinion_of(one, seen) for one, said in zip(guards, known, strict=True)]


def _length(seen: Seen) -> int:
    """Characters that guards may read."""
    answer = len(seen.said.text) if seen.said is not None else 0
    return answer + len(seen.asked.system) + sum([len(message.content) for message in seen.asked.messages])
