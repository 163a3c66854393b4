"""Cost of scoring: microseconds per trace and scorer, traces per second, memory. `python -m bench.score [traces]`.

A trace is a request of a support assistant: root, retrieval of three documents of 400 characters, model call; 2.3 kB of text.
`repeating` draws the documents from a knowledge base of 200, `unique` gives every trace documents of its own.
"""

import random
import resource
import sys
import time

from holdfast.core.call import Call, Dimensions, Document, Kind, Message, Usage
from holdfast.core.trace import Trace
from holdfast.score.protocol import Preparing
from holdfast.score.reading import TOGETHER
from holdfast.score.registry import SCORERS
from holdfast.score.run import Scoring

_NOUNS = "phone tablet charger cable case screen battery keyboard invoice contract parcel refund plan order account"
_VERBS = "return cancel change repair replace ship pay extend close activate"
_FILLERS = "within days after delivery when the box is complete and a copy of the bill is enclosed with every request by post"
NOUNS, VERBS, FILLERS = _NOUNS.split(), _VERBS.split(), _FILLERS.split()
SYSTEM = (
    "You are the assistant of a telephone company. Answer from the documents only, in the language of the customer, in three or"
    " four sentences. When the documents do not tell, say that you do not know. Never promise anything that the documents do not"
    " say, never ask for a password, and name the document that you rely on. Be friendly and brief."
)
SECOND = 10**9
START = 1_790_000_000 * SECOND


def document(rng: random.Random, size: int = 400) -> str:
    """Sentences of about `size` characters."""
    text = ""
    while len(text) < size:
        middle = " ".join(rng.sample(FILLERS, 9))
        text += f"You can {rng.choice(VERBS)} your {rng.choice(NOUNS)} in {rng.randint(2, 60)} days {middle}. "
    return text[:size]


def request(rng: random.Random, number: int, documents: list[str]) -> Trace:
    """One request with three of `documents`."""
    found = rng.sample(documents, 3)
    sentences = [s.strip() for text in found for s in text.split(". ")[:2]]
    answer = ". ".join(rng.sample(sentences, 5)) + "."
    question = f"How can I {rng.choice(VERBS)} my {rng.choice(NOUNS)} of order {number}?"
    context = "\n\n".join(found)
    prompt = f"Documents:\n{context}\n\nQuestion: {question}"
    trace_id, start = f"{number:032x}", START + number * SECOND
    dimensions: Dimensions = {"service.name": ("support",), "route": ("/chat",), "tenant": ("acme",), "model": ("gpt-4o",)}
    root = Call(
        trace_id=trace_id, span_id="1" * 16, kind=Kind.WORKFLOW, start_ns=start, end_ns=start + SECOND, dimensions=dimensions
    )
    retrieval = Call(
        trace_id=trace_id, span_id="2" * 16, parent_span_id="1" * 16, kind=Kind.RETRIEVAL, start_ns=start,
        end_ns=start + SECOND // 9,
        dimensions=dimensions, documents=tuple(Document(c, f"d{i}", "manual", 0.9 - i / 10, START) for i, c in enumerate(found)),
    )  # fmt: skip
    model = Call(
        trace_id=trace_id, span_id="3" * 16, parent_span_id="1" * 16, kind=Kind.LLM, start_ns=start + SECOND // 9,
        end_ns=start + SECOND,
        dimensions=dimensions, request_model="gpt-4o", response_model="gpt-4o-2024-08-06",
        finish_reasons=("stop",), usage=Usage(560, 95),
        input_messages=(Message("system", SYSTEM), Message("user", prompt)), output_messages=(Message("assistant", answer),),
    )  # fmt: skip
    return Trace(trace_id, (root, retrieval, model))


def measure(label: str, traces: list[Trace]) -> None:
    """Prints the cost of all scorers together."""
    scoring = Scoring(SCORERS)
    scoring.score(traces[: len(traces) // 5])
    rest = traces[len(traces) // 5 :]
    started = time.thread_time()
    scores = sum(len(scored.scores) for scored in scoring.score(rest))
    took = time.thread_time() - started
    speed = len(rest) / took
    print(f"{label:10s} {1e6 / speed:7.0f} µs/trace   {speed:7.0f} traces/s/core   {3 * speed:7.0f} spans/s/core", end="   ")
    print(f"{scores / len(rest):.1f} scores/trace")


def by_scorer(traces: list[Trace]) -> None:
    """Prints the cost of each scorer, and of what they prepare together, which includes reading the traces."""
    scoring = Scoring(SCORERS)
    cost = dict.fromkeys(("together", *(s.name for s in scoring.scorers)), 0.0)
    for start in range(0, len(traces), TOGETHER):
        portion, counts = traces[start : start + TOGETHER], start >= len(traces) // 5
        began = time.thread_time_ns()
        for scorer in scoring.scorers:
            if isinstance(scorer, Preparing):
                scorer.prepare(portion)
        cost["together"] += counts * (time.thread_time_ns() - began)
        for scorer in scoring.scorers:
            began = time.thread_time_ns()
            for trace in portion:
                tuple(scorer.score(trace))
            cost[scorer.name] += counts * (time.thread_time_ns() - began)
    seen = len(traces) - len(traces) // 5
    for name, total in sorted(cost.items(), key=lambda c: -c[1]):
        print(f"  {name:20s} {total / seen / 1e3:7.1f} µs")


def main() -> None:
    """Runs all three."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    rng = random.Random(1)
    started = time.thread_time()
    sum(range(5_000_000))
    print(f"speed of this machine: {5 / (time.thread_time() - started):.0f} million additions/s")
    base = [document(rng) for _ in range(200)]
    repeating = [request(rng, i, base) for i in range(count)]
    measure("repeating", repeating)
    measure("unique", [request(rng, i, [document(rng) for _ in range(3)]) for i in range(count)])
    by_scorer([Trace(t.trace_id, t.calls) for t in repeating])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    scoring = Scoring(SCORERS)
    for first in range(count, 6 * count, TOGETHER):
        scoring.score([request(rng, i, [document(rng) for _ in range(3)]) for i in range(first, first + TOGETHER)])
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"memory: {before / 1024:.0f} MB, after {5 * count} more traces {after / 1024:.0f} MB")


if __name__ == "__main__":
    main()
