"""What Presidio and LLM Guard need for the same texts; run by their own interpreters, see `bench.scorers`. Knows nothing of ours.

`PYTHON bench/peer_scanners.py presidio|llm_guard` reads `{"texts": [...], "repetitions": n}` from stdin and writes a JSON object
to stdout: `scanners`: name → `{"median_ms", "p99_ms", "runs", "peak_mib"}` or `{"error"}`; `version`. CPU time of the whole
process, one thread, nothing downloaded.
"""

import json
import logging
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

Scan = Callable[[str], object]
Made = dict[str, Callable[[], Scan]]
TOKENS = 512


def peak_mib() -> float:
    """The most memory that this process ever held, in MiB (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def presidio() -> tuple[str, Made]:
    """The analyzer with all its English recognizers; its statistical recognizer of names needs a model that is not there."""
    known: Any = import_module("tldextract.tldextract")
    # Without this it asks the network for a list of suffixes.
    known.TLD_EXTRACTOR = import_module("tldextract").TLDExtract(suffix_list_urls=())
    spacy, analyzer = import_module("spacy"), import_module("presidio_analyzer")
    engine = import_module("presidio_analyzer.nlp_engine").SpacyNlpEngine()
    engine.nlp = {"en": spacy.blank("en")}

    def patterns() -> Scan:
        made = analyzer.AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
        return lambda text: made.analyze(text, language="en")

    return metadata.version("presidio-analyzer"), {"AnalyzerEngine, blank language model": patterns}


def llm_guard() -> tuple[str, Made]:
    """Every scanner that has a counterpart with us, and the architectures of those that need a download, with random weights."""
    scanners, outputs = import_module("llm_guard.input_scanners"), import_module("llm_guard.output_scanners")
    vault = import_module("llm_guard.vault").Vault()
    settings: dict[str, tuple[Any, tuple[object, ...]]] = {
        "PromptInjection": (scanners.PromptInjection, ()),
        "Toxicity": (scanners.Toxicity, ()),
        "Anonymize": (scanners.Anonymize, (vault,)),
        "BanTopics": (scanners.BanTopics, (["violence"],)),
        "Gibberish": (scanners.Gibberish, ()),
        "Language": (scanners.Language, (["en"],)),
        "Secrets": (scanners.Secrets, ()),
        "Regex": (scanners.Regex, ([r"Bearer [A-Za-z0-9-._~+/]+"],)),
        "BanSubstrings": (scanners.BanSubstrings, (["ignore all previous instructions"],)),
        "InvisibleText": (scanners.InvisibleText, ()),
    }
    made: Made = {name: partial(_opened, kind, told) for name, (kind, told) in settings.items()}
    made |= {
        "FactualConsistency": partial(_answered, outputs.FactualConsistency),
        "Sensitive": partial(_answered, outputs.Sensitive),
    }
    made[f"PromptInjection's architecture (DeBERTa-v3-base), random weights, {TOKENS} tokens"] = _deberta
    made[f"Toxicity's architecture (RoBERTa-base), random weights, {TOKENS} tokens"] = _roberta
    return metadata.version("llm-guard"), made


def _opened(kind: Any, settings: tuple[object, ...]) -> Scan:
    scan: Scan = kind(*settings).scan
    return scan


def _answered(kind: Any) -> Scan:
    scanner = kind()
    return lambda text: scanner.scan("What does it say?", text)


def _deberta() -> Scan:
    settings = {
        "vocab_size": 128_100,
        "type_vocab_size": 0,
        "relative_attention": True,
        "position_buckets": 256,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": ["p2c", "c2p"],
        "max_relative_positions": -1,
        "position_biased_input": False,
    }
    return _forward("DebertaV2", settings)


def _roberta() -> Scan:
    return _forward("Roberta", {"vocab_size": 50_265, "max_position_embeddings": TOKENS + 2, "type_vocab_size": 1})


def _forward(family: str, settings: dict[str, object]) -> Scan:
    """A sequence classifier of 12 layers and width 768: what it takes does not depend on its weights."""
    torch, transformers = import_module("torch"), import_module("transformers")
    torch.set_num_threads(1)
    sizes = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
    config = getattr(transformers, f"{family}Config")(**sizes, **settings)
    model = getattr(transformers, f"{family}ForSequenceClassification")(config).eval()
    ids = torch.arange(10, 10 + TOKENS)[None]

    def scan(_: str) -> object:
        with torch.inference_mode():
            return model(input_ids=ids).logits

    return scan


def measured(make: Callable[[], Scan], texts: list[str], repetitions: int) -> dict[str, object]:
    """Median and 99th percentile of CPU milliseconds a text, or why it does not run."""
    try:
        scan = make()
        scan(texts[0])
    except Exception as error:  # noqa: BLE001 - what does not run is told beside what does
        return {"error": f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:120]}"}
    taken: list[float] = []
    until = time.process_time() + 30.0
    for number in range(repetitions):
        started = time.process_time()
        scan(texts[number % len(texts)])
        taken.append((time.process_time() - started) * 1e3)
        if time.process_time() > until:
            break
    taken.sort()
    return {
        "median_ms": statistics.median(taken),
        "p99_ms": taken[min(len(taken) - 1, round(0.99 * len(taken)))],
        "runs": len(taken),
        "peak_mib": peak_mib(),
    }


def main() -> None:
    """Measures the scanners of one peer."""
    # Only the answer goes to stdout, and a library that cannot find its model says so once, here.
    logging.disable(logging.CRITICAL)
    told = json.load(sys.stdin)
    out, sys.stdout = sys.stdout, sys.stderr
    version, made = {"presidio": presidio, "llm_guard": llm_guard}[sys.argv[1]]()
    found = {name: measured(make, told["texts"], told["repetitions"]) for name, make in made.items()}
    json.dump({"version": version, "scanners": found}, out)


if __name__ == "__main__":
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    main()
