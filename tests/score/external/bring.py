"""External scorers for tests: askers with real behaviour, and the pieces that they are made of."""

import threading
from collections.abc import Callable, Sequence

from holdfast.core.score import Direction, Family, Metric, Unit
from holdfast.score.external.scorer import Answer, Asks, External
from holdfast.score.external.selection import Selection, Texts

JUDGED = Metric(
    name="judged_wrong",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="wrong",
    description="Probability that the answer is wrong.",
)


class Says:
    """Answers each texts by a function, and remembers what it was asked."""

    def __init__(self, answer: Callable[[Texts], Answer | Exception] = lambda _: Answer(value=0.25)) -> None:
        self._answer = answer
        self.asked: list[Texts] = []

    def close(self) -> None:
        self.asked.clear()

    def ask(self, texts: Sequence[Texts]) -> list[Answer | Exception]:
        self.asked += texts
        return [self._answer(shown) for shown in texts]


class Stuck(Says):
    """Answers only after `go` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go = threading.Event(), threading.Event()

    def ask(self, texts: Sequence[Texts]) -> list[Answer | Exception]:
        self.begun.set()
        self.go.wait(10)
        return super().ask(texts)


class Breaks:
    """Fails for all of them together."""

    def close(self) -> None:
        pass

    def ask(self, texts: Sequence[Texts]) -> list[Answer | Exception]:
        raise ConnectionError("nobody there")


def external(asks: Asks | None = None, **fields: object) -> External:
    """A scorer `mine` that reads question and answer."""
    plain: dict[str, object] = {
        "name": "mine",
        "version": "1",
        "metrics": (JUDGED,),
        "selection": Selection(("question", "answer")),
        "asks": asks or Says(),
    }
    return External(**(plain | fields))  # type: ignore[arg-type]
