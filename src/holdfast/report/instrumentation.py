"""What the telemetry of an application tells, and what nobody can notice for want of it."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from holdfast.core.trace import ScoredTrace, Trace

MAX_SERVICES = 50
"""Applications that are counted apart: their names come from outside."""

BLIND = {
    "model calls": "no span is recognised as a call of a model",
    "question": "answers that miss the question, attacks by users",
    "answer": "what answers say: all that is judged by text",
    "route": "which part of the application is sick",
    "model": "a model that is worse, or another one than was asked for",
    "prompt.version": "the prompt that made it worse",
    "index.version": "the index that made it worse",
    "tool": "tools that fail or are not called",
    "tenant": "one customer who is hurt, or is shown what is another's",
    "region": "one region that is sick",
    "replica": "one replica, pod or host that is sick",
    "user": "how many people were hurt, and who attacks",
    "conversation": "sessions that drift or mix",
    "document.source": "the source of documents that is sick",
    "documents": "answers without support, searches that find nothing",
    "tokens": "cost, prompts that were cut, answers that ran long",
    "feedback": "what users said of answers",
}
"""What telemetry can tell of a request → what goes unseen where it does not. `language` is always known: it is detected."""

NEEDED = ("model calls", "question", "answer")
"""Without these hardly anything is seen."""


class Instrumentation(msgspec.Struct, frozen=True, kw_only=True):
    """What the requests of one application told: the names of `BLIND` → how many of `requests` did, names with none included."""

    service: str
    requests: int
    told: dict[str, int]

    @property
    def untold(self) -> list[str]:
        """What not one request told."""
        return [name for name, count in self.told.items() if not count]

    def share(self, name: str) -> float:
        """Of the requests that told it, in [0, 1]."""
        return self.told[name] / self.requests if self.requests else 0.0


class InstrumentationTally:
    """Counts what requests tell, by application."""

    def __init__(self) -> None:
        self._requests: Counter[str] = Counter()
        self._told: dict[str, Counter[str]] = {}

    def add(self, scored: Iterable[ScoredTrace]) -> None:
        """Requests; what was only said of earlier ones counts for nothing but feedback."""
        for item in scored:
            service = item.trace.service
            told = self._told.get(service)
            if told is None:
                if len(self._told) >= MAX_SERVICES:
                    continue
                told = self._told[service] = Counter()
            if item.trace.addendum:
                told["feedback"] += any(call.evaluations for call in item.trace.calls)
                continue
            self._requests[service] += 1
            told.update(told_by(item.trace))

    def found(self) -> list[Instrumentation]:
        """By application, the busiest first."""
        return [
            Instrumentation(service=service, requests=count, told={name: min(self._told[service][name], count) for name in BLIND})
            for service, count in self._requests.most_common()
        ]


def told_by(trace: Trace) -> Sequence[str]:
    """The names of `BLIND` that one request tells."""
    found = [name for name in trace.dimensions if name in BLIND]
    calls = trace.calls
    found += ["model calls"] if trace.llm_calls else []
    found += ["question"] if trace.question else []
    found += ["answer"] if trace.delivered_answer else []
    found += ["documents"] if any(call.documents for call in calls) else []
    found += ["conversation"] if any(call.conversation_id for call in calls) else []
    found += ["tokens"] if any(call.usage.input_tokens is not None for call in calls) else []
    found += ["feedback"] if any(call.evaluations for call in calls) else []
    return found


def document_of(found: Sequence[Instrumentation]) -> dict[str, object]:
    """As JSON values: application → its requests, and the share of them that tell each thing."""
    return {i.service: {"requests": i.requests, "tells": {name: round(i.share(name), 4) for name in i.told}} for i in found}
