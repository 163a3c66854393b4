"""What a sample application does with a request, stage by stage: retrieve, prompt, use tools, answer, deliver, hear back."""

from collections.abc import Callable
from random import Random

import orjson

from holdfast.core.call import Document, Message
from holdfast.drills import compose
from holdfast.drills.application import Application, Article
from holdfast.drills.phrases import PHRASES
from holdfast.drills.traffic import Request
from holdfast.drills.turn import Behaviour, GuardrailRun, Stage, ToolUse, Turn

HEALTHY = (
    (Behaviour.INVENTED, 0.02),
    (Behaviour.OFF_TOPIC, 0.008),
    (Behaviour.REFUSED, 0.012),
    (Behaviour.UNKNOWN, 0.008),
    (Behaviour.CUT_SHORT, 0.004),
    (Behaviour.BROKEN_FORMAT, 0.008),
)
"""Rates of bad answers when nothing is broken: no application is perfect, and a baseline of zero would make detection trivial."""

TOP_K = 3
TOOL_ERROR_RATE = 0.012
MISSED_RETRIEVAL_RATE = 0.012
FEEDBACK_RATE = 0.06
ATTACK_RATE = 0.003
CAUGHT_BY_CHECK = 0.3
"""Share of made-up answers that the output check notices."""
INDEX_VERSION = "kb-2026-09-14"
DAY_NS = 86_400_000_000_000

Hook = Callable[[Turn, Stage], None]


def begin(application: Application, request: Request) -> Turn:
    """A request that nothing has been done about yet."""
    route = application.route(request.route)
    rng = Random(request.seed)
    turn = Turn(
        request=request,
        application=application,
        route=route,
        rng=rng,
        language=request.user.language if route.shape != "tool" else "en",
        prompt_version=route.prompt,
        index_version=INDEX_VERSION,
        model=application.models["main"],
        response_model=application.models["main"],
        region=request.user.region,
        replica=request.replica,
    )
    turn.parameters = {"temperature": 0.2, "max_tokens": 400, "top_p": 1.0}
    turn.conversation = f"c{rng.getrandbits(40):010x}"
    return turn


def perform(turn: Turn, hook: Hook) -> None:
    """Run the whole script; `hook` is called after each stage."""
    for stage, work in STAGES:
        work(turn)
        hook(turn, stage)


def receive(turn: Turn) -> None:
    """The user asks; sometimes they refer to an earlier exchange."""
    compose.ask(turn)
    turn.query = turn.question
    if turn.route.shape == "rag" and turn.article is not None and turn.rng.random() < 0.25:
        earlier = turn.rng.choice(turn.article.facts)
        turn.history = [Message("user", earlier.questions[0]), Message("assistant", earlier.answer)]
    turn.guardrails.append(
        GuardrailRun("input_check", text=turn.question, output=turn.question, score=turn.rng.betavariate(1, 30))
    )


def retrieve(turn: Turn) -> None:
    """Find articles: the right one, now and then not, and neighbours."""
    if turn.route.shape != "rag" or turn.article is None:
        return
    rng = turn.rng
    turn.retrieval_ms = rng.lognormvariate(3.7, 0.35)
    missed = rng.random() < MISSED_RETRIEVAL_RATE
    neighbours = [article for article in turn.application.articles[turn.language] if article.id != turn.article.id]
    chosen = [] if missed else [turn.article]
    chosen += rng.sample(neighbours, min(TOP_K - len(chosen), len(neighbours)))
    turn.documents = [document_of(turn, article, article is turn.article) for article in chosen]
    turn.documents.sort(key=lambda document: -(document.score or 0.0))


def document_of(turn: Turn, article: Article, right: bool) -> Document:
    """An article as the index returns it."""
    score = turn.rng.gauss(0.83, 0.04) if right else turn.rng.gauss(0.58, 0.06)
    age_days = turn.index_age_days + (sum(map(ord, article.id)) % 40)
    return Document(
        content=article.body,
        id=f"{article.id}.{turn.language}",
        source=article.source,
        score=round(min(max(score, 0.05), 0.99), 4),
        updated_ns=int(turn.request.time_ns - age_days * DAY_NS),
        metadata={"tenant": "shared"},
    )


def prompt(turn: Turn) -> None:
    """Choose the template, its variables, and how the model will behave."""
    turn.system = turn.route.system
    turn.variables = {
        "company": turn.application.company,
        "canary": turn.application.canary,
        "tenant": turn.request.user.tenant,
        "categories": ", ".join(turn.application.sources),
        "context": "\n".join(f"[{i}] {d.content}" for i, d in enumerate(turn.documents, start=1)),
    }
    for name, values in turn.route.variables.items():
        turn.variables[name] = turn.rng.choice(values)
    turn.behaviour = healthy_behaviour(turn)


def healthy_behaviour(turn: Turn) -> Behaviour:
    """How the model behaves when nothing is broken."""
    if turn.metadata.get("attack"):
        return Behaviour.REFUSED
    if turn.documents and turn.article is not None and all(d.id.split(".")[0] != turn.article.id for d in turn.documents):
        return Behaviour.UNKNOWN if turn.rng.random() < 0.7 else Behaviour.INVENTED
    level = turn.rng.random()
    for behaviour, rate in HEALTHY:
        if behaviour is Behaviour.BROKEN_FORMAT and turn.route.shape != "json":
            continue
        if level < rate:
            return behaviour
        level -= rate
    return Behaviour.GROUNDED


def use_tools(turn: Turn) -> None:
    """Look up what the user wants to know; a failed call is tried again once."""
    if turn.tool is None:
        return
    turn.offered_tools = tuple(tool.name for tool in turn.application.tools)
    use = ToolUse(turn.tool.name, compose.arguments_of(turn, turn.tool), compose.result_of(turn, turn.tool))
    use.ms = turn.rng.lognormvariate(4.8, 0.5)
    if turn.rng.random() < TOOL_ERROR_RATE:
        failed = ToolUse(use.name, use.arguments, '{"error": "upstream timeout"}', turn.rng.uniform(900, 2100), "TimeoutError")
        turn.tool_uses.append(failed)
    turn.tool_uses.append(use)


def write_answer(turn: Turn) -> None:
    """The model writes."""
    turn.answer = compose.answer(turn)
    turn.harmed = turn.behaviour is not Behaviour.GROUNDED and not turn.metadata.get("attack")
    if turn.behaviour is Behaviour.CUT_SHORT:
        turn.finish_reason = "length"


def deliver(turn: Turn) -> None:
    """Post-processing: what the model wrote is what the user sees, after the output check."""
    turn.delivered = turn.answer
    if turn.route.shape != "rag":
        return
    check = GuardrailRun("output_check", text=turn.answer, output=turn.answer, score=turn.rng.betavariate(1, 40))
    turn.guardrails.append(check)
    if turn.behaviour is Behaviour.INVENTED and turn.rng.random() < CAUGHT_BY_CHECK:
        turn.delivered = check.output = turn.rng.choice(PHRASES[turn.language].unknown)
        check.verdict, check.action, check.score = "deny", "replace", turn.rng.uniform(0.6, 0.95)


def finish(turn: Turn) -> None:
    """Structured output goes to its consumer; the user may say what they think."""
    if turn.route.consumer and not turn.error:
        turn.consumer_uses.append(consume(turn))
    hear_back(turn)


def consume(turn: Turn) -> ToolUse:
    """Hand the delivered JSON to the consumer; it refuses what does not follow the schema."""
    use = ToolUse(turn.route.consumer, turn.delivered, ms=turn.rng.lognormvariate(4.2, 0.4))
    try:
        value = orjson.loads(turn.delivered)
        missing = [key for key in ("category", "priority", "sentiment", "summary") if key not in value]
    except orjson.JSONDecodeError:
        missing = ["valid JSON"]
    if missing:
        use.error, use.result = "ValidationError", orjson.dumps({"error": f"422: missing {', '.join(missing)}"}).decode()
    else:
        use.result = orjson.dumps({"ticket_id": f"T-{turn.rng.randrange(10**6):06d}", "accepted": True}).decode()
    return use


def hear_back(turn: Turn) -> None:
    """Some users say what they think; those who were served badly more often, and worse."""
    if turn.rng.random() < (FEEDBACK_RATE * 2 if turn.harmed or turn.struck else FEEDBACK_RATE):
        turn.feedback = 0.0 if turn.rng.random() < (0.75 if turn.harmed or turn.struck else 0.08) else 1.0


STAGES: tuple[tuple[Stage, Callable[[Turn], None]], ...] = (
    (Stage.RECEIVED, receive),
    (Stage.RETRIEVED, retrieve),
    (Stage.PROMPTED, prompt),
    (Stage.TOOLED, use_tools),
    (Stage.ANSWERED, write_answer),
    (Stage.DELIVERED, deliver),
    (Stage.FINISHED, finish),
)
