"""A judge of probes who says what a test lets it, and calls for it to judge."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from holdfast.core.score import Direction, Family, Metric, Unit
from holdfast.score.external.scorer import Answer, External
from holdfast.score.external.selection import Selection, Texts

RUDE = Metric(
    name="rude",
    family=Family.SAFETY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="rude",
    description="Rude answers.",
)
WAIT_S = 20.0


class Person:
    """Answers by what it is shown: `says` gives the probability of failure, or raises. `free` lets it go on."""

    def __init__(self, says: Callable[[Texts], float]) -> None:
        self._says = says
        self.shown: list[Texts] = []
        self.free = threading.Event()
        self.free.set()
        self.busy = threading.Event()

    def ask(self, texts: Sequence[Texts]) -> list[Answer | Exception]:
        self.busy.set()
        self.free.wait(WAIT_S)
        self.shown += texts
        return [Answer(value=self._says(text), why="so it seems") for text in texts]

    def close(self) -> None:
        return


def judge(person: Person, name: str = "person", **selection: Any) -> External:
    return External(
        name=name,
        version="1",
        metrics=(RUDE,),
        selection=Selection(("question", "answer"), **({"share": 1e-9} | selection)),
        asks=person,
    )


def call(answer: str = "You fool.", question: str = "Where is my parcel?", service: str = "shop") -> bytes:
    def said(role: str, text: str) -> str:
        return orjson.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}]).decode()

    values = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.input.messages": said("user", question),
        "gen_ai.output.messages": said("assistant", answer),
    }
    span = {
        "traceId": "ab" * 16,
        "spanId": "cd" * 8,
        "name": "chat m",
        "startTimeUnixNano": "1000",
        "endTimeUnixNano": "2000",
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in values.items()],
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return orjson.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]})
