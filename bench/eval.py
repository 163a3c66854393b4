"""Cost of the inline scorers: CPU microseconds per 1,000 characters and scorer, memory. `python -m bench.eval [repetitions]`.

Texts are fresh ones of 1,000 characters, so that nothing is remembered from one to the next.
"""

import random
import resource
import sys
import time

import numpy as np

from bench.score import document
from holdfast.core.call import Call, Document, Kind, Message
from holdfast.core.trace import Trace
from holdfast.score.injection import Injection
from holdfast.score.protocol import Scorer
from holdfast.score.toxicity import Toxicity
from holdfast.score.unsafe import Unsafe

TRACE = "e" * 32


def asked(text: str) -> Trace:
    """A user's text."""
    return Trace(TRACE, (Call(trace_id=TRACE, span_id="1" * 16, kind=Kind.LLM, input_messages=(Message("user", text),)),))


def said(text: str) -> Trace:
    """An answer."""
    return Trace(TRACE, (Call(trace_id=TRACE, span_id="1" * 16, kind=Kind.LLM, output_messages=(Message("assistant", text),)),))


def found(text: str) -> Trace:
    """A retrieved document."""
    return Trace(TRACE, (Call(trace_id=TRACE, span_id="1" * 16, kind=Kind.RETRIEVAL, documents=(Document(text),)),))


CASES: tuple[tuple[str, Scorer, object], ...] = (
    ("prompt_injection", Injection(), asked),
    ("document_injection", Injection(), found),
    ("unsafe_request", Unsafe(), asked),
    ("unsafe_output", Unsafe(), said),
    ("toxicity", Toxicity(), said),
)


def main(repetitions: int) -> None:
    """Print median and 99th percentile of each."""
    rng = random.Random(1)
    for name, scorer, shape in CASES:
        taken = []
        for _ in range(repetitions):
            trace = shape(document(rng, 1000))  # type: ignore[operator]
            started = time.thread_time_ns()
            tuple(scorer.score(trace))
            taken.append((time.thread_time_ns() - started) / 1e3)
        print(f"{name:20s} {np.percentile(taken, 50):7.0f} µs median {np.percentile(taken, 99):8.0f} µs p99 per 1,000 characters")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
