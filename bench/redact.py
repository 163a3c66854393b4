"""Redaction: time for text, recall by entity, and false alarms on texts without personal data.

Run: python -m bench.redact [--data FOLDER] [--presidio PYTHON]
FOLDER holds the labelled sets (default ../shared/data, left out where missing); PYTHON is one that has presidio-analyzer.
"""

import argparse
import gzip
import json
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from holdfast.context.find import find
from holdfast.context.redact import RedactionPolicy, Redactor

PROSE = (
    "You are a helpful assistant for a shop. Answer only from the documents. The customer asked about the refund policy and the "
    "delivery. Returns are accepted within 30 days of delivery, shipping costs 4.95 euro. We ship with two carriers and it takes "
    "3 to 5 working days. "
)
CLEAN = (PROSE * 20)[:2300]
STRUCTURED = json.dumps(
    [
        {"role": "system", "parts": [{"type": "text", "content": PROSE * 7}]},
        {
            "id": "call_abc123",
            "ts": "2026-11-23T05:10:00Z",
            "order": "ORD-2026-118842",
            "n": 1732338600123,
            "temperature": 0.2,
            "seed": 42,
        },
    ]
)[:2300]
TWO = f"{CLEAN[:700]} mail joe.smith@example.com {CLEAN[700:1400]} call +1 415 555 0123 now {CLEAN[1400:2240]}"
FOUR = (
    f"{CLEAN[:700]} mail joe.smith@example.com {CLEAN[700:1200]} call +1 415 555 0123 now {CLEAN[1200:1700]} "
    f'card 4111 1111 1111 1111 or {{"api_key": "abcDEF123456"}} {CLEAN[1700:2180]}'
)
CASES = {"nothing in it": CLEAN, "JSON with ids and times": STRUCTURED, "two hits": TWO, "four hits": FOUR}


def best_us(call: Callable[[int], object], rounds: int = 15, repeats: int = 300) -> float:
    """Least mean time of a call over `rounds`, in microseconds."""
    best, count = float("inf"), 0
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(repeats):
            call(count)
            count += 1
        best = min(best, (time.perf_counter() - start) / repeats * 1e6)
    return best


def speed() -> None:
    """Time of a text that was never seen, and of one that was."""
    print(f"{'text':26}{'chars':>6}{'new, us':>10}{'us/kB':>8}{'seen, us':>10}")
    for name, text in CASES.items():
        redactor = Redactor(RedactionPolicy(), b"0" * 32)
        unique = [f"{text} q{i}" for i in range(15 * 300)]
        new = best_us(lambda i, r=redactor, u=unique: r.text(u[i]))  # type: ignore[misc]
        seen = best_us(lambda i, r=redactor, t=text: r.text(t))  # type: ignore[misc]
        print(f"{name:26}{len(text):>6}{new:>10.1f}{new / len(text) * 1000:>8.1f}{seen:>10.2f}")


def span(question: str) -> dict[str, object]:
    """Attributes of a model call as OpenTelemetry's instrumentation writes them, about 2.3 kB."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "small-1",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 512,
        "gen_ai.response.model": "small-1-2026-10",
        "gen_ai.response.id": "chatcmpl-9f2c1a7be4d84c1c",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 431,
        "gen_ai.usage.output_tokens": 97,
        "server.address": "api.example.com",
        "gen_ai.system_instructions": json.dumps([{"type": "text", "content": PROSE * 3}]),
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": question}]}]),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": question[:400]}]}]),
        "user.id": "u-1187",
    }


def spans() -> None:
    """Time of a whole span: instructions repeat, questions and answers never do."""
    redactor = Redactor(RedactionPolicy(), b"0" * 32)
    for name, words in (("span, nothing in it", ""), ("span, two hits", "mail joe.smith@example.com or call +1 415 555 0123")):
        unique = [span(f"{i} {PROSE * 2} {words} {i}") for i in range(15 * 300)]
        new = best_us(lambda i, u=unique: redactor.value(u[i]))  # type: ignore[misc]
        print(f"{name:26}{sum(len(str(v)) for v in unique[0].values()):>6}{new:>10.1f}")


def rows(path: Path) -> Iterator[dict[str, object]]:
    """Rows of a gzipped JSON-lines file."""
    with gzip.open(path, "rt") as lines:
        yield from (json.loads(line) for line in lines)


def recall(data: Path) -> None:
    """Share of the labelled spans that are covered wholly, by label, for those labels that are ours."""
    labels = ("EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE")
    total: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    extra: Counter[str] = Counter()
    for row in rows(data / "pii" / "presidio_synth_v2.jsonl.gz"):
        text, detail = str(row["text"]), row["label_detail"]
        assert isinstance(detail, dict)
        spans = [(s, e, t) for s, e, t in detail["spans"]]
        found = find(text)
        for start, end, label in spans:
            if label in labels:
                total[label] += 1
                hit[label] += any(f.start <= start and f.end >= end for f in found)
        for one in found:
            if not any(one.start < e and one.end > s and t in labels for s, e, t in spans):
                extra[one.entity] += 1
    print(
        "\nrecall on presidio_synth_v2 (whole span covered):",
        {t: f"{hit[t]}/{total[t]} = {hit[t] / total[t]:.3f}" for t in labels},
    )
    print("found where no such label is:", dict(extra))


def false_alarms(data: Path) -> None:
    """Findings per 10,000 characters of text in which next to nothing should be found."""
    for name, fields in (
        ("injection/halueval_queries", ("text", "prompt")),
        ("faithfulness/summedits", ("context", "response")),
        ("faithfulness/halueval_general", ("prompt", "response")),
        ("faithfulness/begin", ("context", "response")),
        ("agent_trace_failure/tau_airline_gpt4o", ("messages",)),
    ):
        path = data / f"{name}.jsonl.gz"
        if not path.exists():
            continue
        chars, found, seen = 0, defaultdict[str, int](int), set()
        for row in rows(path):
            for field in fields:
                value = row.get(field)
                text = value if isinstance(value, str) else json.dumps(value) if value else ""
                if not text or text in seen:
                    continue
                seen.add(text)
                chars += len(text)
                for one in find(text):
                    found[one.entity] += 1
        print(f"{name}: {sum(found.values()) / max(chars, 1) * 1e4:.4f} per 10,000 characters ({chars:,} read)", dict(found))


PRESIDIO = """
import json, sys, time
import tldextract.tldextract
tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())  # or it asks the network at every address
from presidio_analyzer import predefined_recognizers as known
kinds = ("CreditCard", "Email", "Iban", "Phone", "UsSsn")
recognizers = [getattr(known, f"{kind}Recognizer")() for kind in kinds]
for name, text in json.load(sys.stdin).items():
    best = 9e9
    for _ in range(7):
        start = time.perf_counter()
        for r in recognizers:
            r.analyze(text, r.supported_entities, None)
        best = min(best, time.perf_counter() - start)
    print(f"presidio, 5 pattern recognizers without NLP: {name:26}{best * 1e6:>10.0f} us")
"""


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--presidio", default="")
    arguments = parser.parse_args()
    speed()
    spans()
    if arguments.presidio:
        print()
        subprocess.run([arguments.presidio, "-c", PRESIDIO], input=json.dumps(CASES), text=True, check=True)
    if (arguments.data / "pii").is_dir():
        recall(arguments.data)
        false_alarms(arguments.data)


if __name__ == "__main__":
    main()
