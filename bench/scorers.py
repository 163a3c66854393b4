"""What the learned scorers cost: CPU time (median, p99), throughput and peak memory of each; Presidio and LLM Guard beside them.

Run: python -m bench.scorers [--repetitions N] [--presidio PYTHON] [--llm-guard PYTHON]
PYTHON is an interpreter that has presidio-analyzer, or llm-guard; both get the very same texts, in the same run. Every row is
measured in a process of its own, on one thread, in CPU time, because the machine may be busy: compare ratios, and times only
beside the speed that is printed first. Texts are fresh ones, so that nothing is remembered from one to the next. Memory: the
most that the process held, in brackets what was added to the imports.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import msgspec
import numpy as np

from bench.peer_scanners import peak_mib
from bench.score import document
from holdfast.context.find import find
from holdfast.core.call import Call, Document, Kind, Message
from holdfast.core.trace import Trace
from holdfast.models.encoder import DESCRIPTION, EncoderDescription, encoder
from holdfast.models.encoder_tokens import windows
from holdfast.score.grounding import Grounding
from holdfast.score.injection import Injection
from holdfast.score.injection_features import features
from holdfast.score.opinion import MAX_WINDOWS
from holdfast.score.personal import personal_spans
from holdfast.score.protocol import Scorer
from holdfast.score.safety import ALWAYS, Safety
from holdfast.score.toxicity import Toxicity
from holdfast.score.unsafe import Unsafe

TRACE = "e" * 32
CHARACTERS = 1_000
TOKENS = 512
INLINE_MS, TOP_MS = 0.3, 40.0
"""Targets: median milliseconds of a head for 1,000 characters, and of a top of the encoder for 512 tokens."""
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TOKENIZERS_PARALLELISM")}
CHILD_S = 300

Work = Callable[[str], float]
"""Reads a text; returns by how much its time is to be multiplied to be that of the unit."""


@dataclass(frozen=True)
class Case:
    """One row: what is done with a text, in which unit, and what it may take (None: no target)."""

    unit: str
    make: Callable[[], Work]
    target_ms: float | None = None


def asked(text: str) -> Trace:
    """A user's text."""
    return Trace(TRACE, (Call(trace_id=TRACE, span_id="1" * 16, kind=Kind.LLM, input_messages=(Message("user", text),)),))


def said(text: str) -> Trace:
    """An answer."""
    return Trace(TRACE, (Call(trace_id=TRACE, span_id="1" * 16, kind=Kind.LLM, output_messages=(Message("assistant", text),)),))


def found(text: str) -> Trace:
    """A retrieved document."""
    return Trace(TRACE, (Call(trace_id=TRACE, span_id="1" * 16, kind=Kind.RETRIEVAL, documents=(Document(text),)),))


def answered(text: str) -> Trace:
    """A question and an answer, with the documents that it rests on: the answer's own sentences, and others."""
    rng = random.Random(text)
    call = Call(
        trace_id=TRACE,
        span_id="1" * 16,
        kind=Kind.LLM,
        input_messages=(Message("user", f"How long do I have for {text[8:60]}?"),),
        output_messages=(Message("assistant", text),),
    )
    documents = (Document(text[:500]), *(Document(document(rng, 1_000)) for _ in range(2)))
    return Trace(TRACE, (call, Call(trace_id=TRACE, span_id="2" * 16, kind=Kind.RETRIEVAL, documents=documents)))


def scoring(scorer: Scorer, shape: Callable[[str], Trace]) -> Callable[[], Work]:
    """A whole scorer, reading the trace included."""

    def work(text: str) -> float:
        tuple(scorer.score(shape(text)))
        return 1.0

    return lambda: work


def reading(top: str) -> Callable[[], Work]:
    """One top of the encoder with the trunk and the tokenizer, for as many tokens as it read."""

    def make() -> Work:
        opened = encoder()

        def work(text: str) -> float:
            read = windows(opened.tokenizer, text * 3, MAX_WINDOWS)
            opened.run(read, top)
            return TOKENS / sum(len(window.ids) for window in read)

        return work

    return make


def of_text(call: Callable[[str], object]) -> Callable[[], Work]:
    """A function of a text."""

    def work(text: str) -> float:
        call(text)
        return 1.0

    return lambda: work


def cases() -> dict[str, Case]:
    """All rows by name."""
    line, tokens = f"{CHARACTERS} characters", f"{TOKENS} tokens"
    inline: dict[str, tuple[Scorer, Callable[[str], Trace]]] = {
        "prompt_injection, head": (Injection(), asked),
        "document_injection, head": (Injection(), found),
        "unsafe_request, head": (Unsafe(), asked),
        "unsafe_output, head": (Unsafe(), said),
        "toxicity, head": (Toxicity(), said),
    }
    rows = {name: Case(line, scoring(scorer, shape), INLINE_MS) for name, (scorer, shape) in inline.items()}
    rows["injection features by hand"] = Case(line, of_text(features))
    rows["personal data by form"] = Case(line, of_text(find))
    rows |= {f"encoder, top {top}": Case(tokens, reading(top), TOP_MS) for top in _tops()}
    rows["personal_spans"] = Case(line, of_text(personal_spans))
    always = Safety(unsure_toxicity=ALWAYS, unsure_request=ALWAYS, unsure_output=ALWAYS)
    rows["safety, as shipped"] = Case(f"{line} of answer", scoring(Safety(), answered))
    rows["safety, always asking the encoder"] = Case(f"{line} of answer", scoring(always, answered))
    rows["groundedness, as shipped"] = Case(f"{line} of answer", scoring(Grounding(), answered))
    rows["groundedness, always asking the encoder"] = Case(f"{line} of answer", scoring(Grounding(unsure=ALWAYS), answered))
    return rows


def _tops() -> list[str]:
    """Names of the encoder's tops, without opening it: memory is measured from here."""
    told = files("holdfast.models").joinpath(DESCRIPTION).read_bytes()
    return list(msgspec.json.decode(told, type=EncoderDescription).tops)


def texts(count: int) -> list[str]:
    """Fresh texts of 1,000 characters, some personal data in each: what pattern recognizers look for."""
    rng = random.Random(1)
    return [
        f"Write to joe.smith{n}@example.com or call +1 415 555 {n % 10_000:04d}. {document(rng, CHARACTERS)}"[:CHARACTERS]
        for n in range(count)
    ]


def child(name: str, repetitions: int) -> dict[str, object]:
    """Measures one row in this process."""
    imported = peak_mib()
    case = cases()[name]
    work, subjects = case.make(), texts(repetitions + 5)
    taken = []
    for subject in subjects:
        started = time.process_time()
        factor = work(subject)
        taken.append((time.process_time() - started) * 1e3 * factor)
    median, p99 = np.percentile(taken[5:], [50, 99])
    return {"median_ms": float(median), "p99_ms": float(p99), "peak_mib": peak_mib(), "imported_mib": imported}


def answer_of(command: list[str], told: str = "") -> dict[str, object]:
    """The JSON object that a process prints."""
    environment = os.environ | ONE_THREAD
    done = subprocess.run(
        command,
        input=told,
        text=True,
        capture_output=True,
        timeout=CHILD_S,
        env=environment,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr[-800:]}")
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def ours(repetitions: int) -> dict[str, float]:
    """Prints a row for each scorer; median milliseconds by name."""
    print(f"{'':42}{'median ms':>10}{'p99 ms':>9}{'a second':>10}{'peak MiB':>14}   per")
    medians: dict[str, float] = {}
    for name, case in cases().items():
        few = repetitions if case.target_ms == INLINE_MS else max(repetitions // 4, 20)
        row = answer_of([sys.executable, "-m", "bench.scorers", "--child", name, "--repetitions", str(few)])
        median, p99, peak, before = (float(str(row[key])) for key in ("median_ms", "p99_ms", "peak_mib", "imported_mib"))
        target = (
            "" if case.target_ms is None else f", target {case.target_ms:g} ms: {'met' if median <= case.target_ms else 'MISSED'}"
        )
        print(
            f"{name:42}{median:>10.3f}{p99:>9.3f}{1e3 / median:>10.0f}{peak:>7.0f} (+{peak - before:.0f})   {case.unit}{target}"
        )
        medians[name] = median
    return medians


COUNTERPARTS = {
    "AnalyzerEngine, blank language model": ("personal_spans", "personal data by form"),
    "Secrets": ("personal data by form",),
    "InvisibleText": ("injection features by hand",),
    "PromptInjection's architecture": ("encoder, top safety",),
    "Toxicity's architecture": ("encoder, top safety",),
}
"""Beginning of a peer's row → the rows of ours that do the same kind of work on the same unit."""


def beside(peer: str, python: str, repetitions: int, medians: dict[str, float]) -> None:
    """Prints what a peer takes for the same texts, how that compares, and what of it does not run here."""
    script = str(Path(__file__).with_name("peer_scanners.py"))
    told = json.dumps({"texts": texts(50), "repetitions": max(repetitions // 4, 20)})
    answer = answer_of([python, script, peer], told)
    print(f"\n{peer} {answer['version']}, {CHARACTERS} characters unless the row says otherwise")
    scanners = answer["scanners"]
    assert isinstance(scanners, dict)
    for name, row in scanners.items():
        if "error" in row:
            print(f"  {name}: does not run here: {row['error']}")
            continue
        print(f"  {name}: {row['median_ms']:.3f} ms median, {row['p99_ms']:.3f} ms p99, {row['peak_mib']:.0f} MiB so far")
        for own in next((own for start, own in COUNTERPARTS.items() if name.startswith(start)), ()):
            if own in medians:
                print(f"    {row['median_ms'] / medians[own]:.2f} times {own} ({medians[own]:.3f} ms)")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--presidio", default="", metavar="PYTHON")
    parser.add_argument("--llm-guard", default="", metavar="PYTHON")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        json.dump(child(arguments.child, arguments.repetitions), sys.stdout)
        return
    started = time.process_time()
    sum(range(5_000_000))
    speed = 5 / (time.process_time() - started)
    print(
        f"speed of this machine: {speed:.0f} million additions/s; load average {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores"
    )
    medians = ours(arguments.repetitions)
    for peer, python in (("presidio", arguments.presidio), ("llm_guard", arguments.llm_guard)):
        if python:
            beside(peer, python, arguments.repetitions, medians)


if __name__ == "__main__":
    main()
