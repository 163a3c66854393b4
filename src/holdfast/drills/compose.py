"""What is said: questions, answers and their failures, composed from the facts of an application with varied wording."""

import re
from random import Random

import orjson

from holdfast.drills.application import Article, Fact, Tool
from holdfast.drills.phrases import PHRASES
from holdfast.drills.turn import Behaviour, Turn

SCHEMA = (
    '{"type":"object","required":["category","priority","sentiment","summary"],"properties":{"category":{"type":"string"},'
    '"priority":{"enum":["low","normal","high"]},"sentiment":{"enum":["negative","neutral","positive"]},"summary":{"type":"string"}}}'
)
"""JSON schema of the structured output that json routes ask for."""

MOODS = {
    "negative": ("I am really annoyed. ", "This is the third time I write. ", "Not good enough: "),
    "neutral": ("", "Dear team, ", "Hello, "),
    "positive": ("I love your products. ", "Thanks for the quick help last week! "),
}
PRIORITY = {"negative": "high", "neutral": "normal", "positive": "low"}
CHARACTERS_PER_TOKEN = 4.2
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


def ask(turn: Turn) -> None:
    """Choose what the user wants, and how they say it."""
    rng, phrases = turn.rng, PHRASES[turn.language]
    if turn.route.shape == "tool":
        _ask_tool(turn)
        return
    turn.article = choose_article(turn)
    turn.fact = rng.choice(turn.article.facts)
    question = rng.choice(turn.fact.questions)
    if turn.route.shape == "json":
        mood = rng.choices(tuple(MOODS), (0.35, 0.5, 0.15))[0]
        turn.category, turn.values = turn.article.source, {"sentiment": mood, "priority": PRIORITY[mood]}
        opening = rng.choice(MOODS[mood]) if turn.language == "en" else rng.choice(phrases.greetings)
        turn.question = f"{opening}{question}{_detail(turn)}"
        return
    turn.question = f"{rng.choice(phrases.greetings)}{question}{_detail(turn)}{rng.choice(phrases.thanks)}"


def choose_article(turn: Turn) -> Article:
    """An article in the user's language; a few are asked for much more than the others."""
    articles = turn.application.articles[turn.language]
    return articles[min(int(len(articles) * turn.rng.random() ** 1.4), len(articles) - 1)]


def _detail(turn: Turn) -> str:
    if turn.language != "en" or turn.rng.random() < 0.6:
        return ""
    product = turn.rng.choice(turn.application.products)
    return turn.rng.choice(
        (f" It is about my {product}.", f" I am asking because of the {product}.", f" My case: one {product}.")
    )


def _ask_tool(turn: Turn) -> None:
    turn.tool = turn.rng.choice(turn.application.tools)
    fill_tool(turn, turn.tool)
    question = turn.rng.choice(turn.tool.questions).format_map(turn.values)
    turn.question = f"{turn.rng.choice(PHRASES['en'].greetings)}{question}{turn.rng.choice(PHRASES['en'].thanks)}"


def fill_tool(turn: Turn, tool: Tool) -> None:
    """Draw the tool's arguments and its true result into `turn.values`."""
    turn.values = {}
    for name, specification in (*tool.arguments.items(), *tool.result.items()):
        if name not in turn.values:
            turn.values[name] = draw(specification, turn.rng, turn.values)


def draw(specification: str, rng: Random, known: dict[str, str]) -> str:
    """A value of a specification such as ``@int:1:9``; ``$name`` takes a value already drawn."""
    if specification.startswith("$"):
        return known[specification[1:]]
    kind, _, rest = specification.removeprefix("@").partition(":")
    if kind == "choice":
        return rng.choice(rest.split(","))
    if kind == "id":
        prefix, digits = rest.split(":")
        return prefix + str(rng.randrange(10 ** (int(digits) - 1), 10 ** int(digits)))
    low, high = (int(bound) for bound in rest.split(":"))
    if kind == "int":
        return str(rng.randint(low, high))
    return f"{rng.uniform(low, high):.2f}"


def arguments_of(turn: Turn, tool: Tool) -> str:
    """The tool's arguments as the JSON text that a model writes."""
    return orjson.dumps({name: turn.values[name] for name in tool.arguments}).decode()


def result_of(turn: Turn, tool: Tool) -> str:
    """What the tool really returns, as JSON text."""
    return orjson.dumps({name: _typed(turn.values[name]) for name in tool.result}).decode()


def _typed(value: str) -> str | int | float:
    if value.isdigit():
        return int(value)
    return float(value) if NUMBER.fullmatch(value) else value


def answer(turn: Turn) -> str:
    """What the model writes, given its behaviour."""
    phrases = PHRASES[turn.language]
    if turn.behaviour is Behaviour.REFUSED:
        return turn.rng.choice(phrases.refusals)
    if turn.route.shape == "json":
        return triage(turn)
    if turn.behaviour is Behaviour.UNKNOWN:
        return turn.rng.choice(phrases.unknown)
    text = _core(turn)
    if turn.behaviour is Behaviour.CUT_SHORT:
        return cut(text, turn.rng)
    return text


def _core(turn: Turn) -> str:
    if turn.behaviour is Behaviour.INVENTED:
        return invented(turn)
    if turn.behaviour is Behaviour.OFF_TOPIC:
        return off_topic(turn)
    return grounded(turn)


def grounded(turn: Turn) -> str:
    """An answer that its documents or its tool support."""
    if turn.tool is not None:
        return frame(turn, turn.rng.choice(turn.tool.answers).format_map(turn.values))
    return from_facts(turn, *turn.asked)


def from_facts(turn: Turn, article: Article, fact: Fact) -> str:
    """The fact in an answer's words, sometimes a second one, the article named, a friendly end."""
    core = fact.answer
    others = [other for other in article.facts if other is not fact]
    if others and turn.rng.random() < 0.3:
        core = f"{core} {turn.rng.choice(others).answer}"
    return frame(turn, core + turn.rng.choice(PHRASES[turn.language].cite).format(title=article.title))


def frame(turn: Turn, core: str) -> str:
    """`core` with a beginning and an end."""
    phrases = PHRASES[turn.language]
    return f"{turn.rng.choice(phrases.openers)}{core}{turn.rng.choice(phrases.closers)}"


def invented(turn: Turn, rng: Random | None = None) -> str:
    """A fluent answer that nothing supports: other numbers, and often a claim out of thin air. No article is named."""
    rng = rng or turn.rng
    if turn.tool is not None:
        core = alter_numbers(
            rng.choice(turn.tool.answers).format_map(misremembered(turn, turn.tool, rng)), rng, keep=turn.question
        )
    else:
        _, fact = turn.asked
        core = alter_numbers(fact.answer, rng)
        if core == fact.answer or rng.random() < 0.6:
            core = (
                f"{core} {rng.choice(turn.application.inventions)}"
                if rng.random() < 0.5
                else rng.choice(turn.application.inventions)
            )
    return frame(turn, core)


def misremembered(turn: Turn, tool: Tool, rng: Random) -> dict[str, str]:
    """Values as a model makes them up that did not look: the arguments right, the result anew."""
    values = {name: turn.values[name] for name in tool.arguments}
    for name, specification in tool.result.items():
        if name not in values:
            values[name] = draw(specification, rng, values)
    return values


def off_topic(turn: Turn) -> str:
    """An answer to another question, from a neighbouring article that was found as well where there is one."""
    rng = turn.rng
    found = {document.id.split(".")[0] for document in turn.documents}
    others = [a for a in turn.application.articles[turn.language] if turn.article is None or a.id != turn.article.id]
    article = rng.choice([a for a in others if a.id in found] or others)
    return from_facts(turn, article, rng.choice(article.facts))


def triage(turn: Turn) -> str:
    """The JSON object that sorts a message, or what a model writes that forgot the format."""
    rng, (article, fact) = turn.rng, turn.asked
    category, priority = turn.category, turn.values["priority"]
    summary = f"The customer asks about {article.title.lower()}: {fact.questions[0]}"
    if turn.behaviour is Behaviour.OFF_TOPIC:
        category = rng.choice([source for source in turn.application.sources if source != turn.category])
    elif turn.behaviour is Behaviour.INVENTED:
        summary = f"{summary} {rng.choice(turn.application.inventions)}"
    value = {"category": category, "priority": priority, "sentiment": turn.values["sentiment"], "summary": summary}
    if turn.behaviour is Behaviour.BROKEN_FORMAT:
        return broken_format(value, rng)
    text = orjson.dumps(value).decode()
    return cut(text, rng) if turn.behaviour in (Behaviour.CUT_SHORT, Behaviour.UNKNOWN) else text


def broken_format(value: dict[str, str], rng: Random) -> str:
    """What should have been JSON, as prose, with a key missing, or with text around it."""
    style = rng.randrange(3)
    if style == 0:
        return f"This looks like a {value['priority']} priority message about {value['category']}. {value['summary']}"
    if style == 1:
        dropped = rng.choice(("category", "priority", "summary"))
        return orjson.dumps({k: v for k, v in value.items() if k != dropped}).decode()
    lines = [f"{key}: {value[key]}" for key in ("category", "priority", "summary")]
    return "\n".join(["Here is the result you asked for:", *lines])


def alter_numbers(text: str, rng: Random, keep: str = "") -> str:
    """`text` with other numbers, except those that also stand in `keep`; the same number always becomes the same other one."""
    return alter_alike(text, rng.getrandbits(32), keep)


def alter_alike(text: str, salt: int, keep: str = "") -> str:
    """As `alter_numbers`; texts with the same salt get the same new numbers for the same old ones."""

    def replace(match: re.Match[str]) -> str:
        number = match.group()
        if number in keep:
            return number
        whole, tail = re.fullmatch(r"(\d+)(.*)", number).groups()  # type: ignore[union-attr]  # NUMBER begins with digits
        level = (salt + int(whole) * 2654435761) % 4294967296
        factor = (0.4, 0.5, 1.5, 2.0, 3.0)[level % 5]
        return f"{max(1, round(int(whole) * factor)) + 1 + level // 5 % 3}{tail}"

    return NUMBER.sub(replace, text)


def cut(text: str, rng: Random) -> str:
    """The first part of `text`, ending in the middle of a word where possible."""
    return text[: max(8, int(len(text) * rng.uniform(0.35, 0.75)))].rstrip(' .!?"}')
