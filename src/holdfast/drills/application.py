"""`Application`: what a sample application knows, says and can call, read from `applications/<name>.toml`."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from holdfast.core.errors import InputError, NotFoundError

APPLICATIONS = ("support", "bank", "helpdesk")
"""The sample applications, the demo's first."""


class Fact(msgspec.Struct, frozen=True):
    """One thing that an article states: how people ask for it, how the article says it, and how an answer says it."""

    questions: tuple[str, ...]
    statement: str
    answer: str


class Article(msgspec.Struct, frozen=True):
    """One document of the knowledge base. `source` is the dimension document.source."""

    id: str
    source: str
    title: str
    facts: tuple[Fact, ...]
    body: str


class Route(msgspec.Struct, frozen=True):
    """One entry of an application. `shape` is rag (retrieval), tool (agent) or json (structured output for a consumer)."""

    path: str
    shape: str
    share: float
    prompt: str
    system: str
    variables: dict[str, tuple[str, ...]] = {}
    consumer: str = ""


class Tool(msgspec.Struct, frozen=True):
    """One tool. Values are specifications: ``@int:1:9``, ``@money:5:90``, ``@id:JP-:6``, ``@choice:a,b`` or ``$argument``."""

    name: str
    arguments: dict[str, str]
    result: dict[str, str]
    questions: tuple[str, ...]
    answers: tuple[str, ...]
    sources: tuple[str, ...] = ()


class Application(msgspec.Struct, frozen=True):
    """A sample application. `articles` are by language; `models` are main, small, next and embedder."""

    name: str
    service: str
    company: str
    convention: str
    provider: str
    canary: str
    models: dict[str, str]
    routes: tuple[Route, ...]
    tools: tuple[Tool, ...]
    products: tuple[str, ...]
    inventions: tuple[str, ...]
    policies: tuple[str, ...]
    articles: dict[str, tuple[Article, ...]]

    @property
    def sources(self) -> tuple[str, ...]:
        """Every document source, in the order of its first article."""
        return tuple(dict.fromkeys(article.source for article in self.articles["en"]))

    def route(self, path: str) -> Route:
        """The route at `path`.

        Raises:
            NotFoundError: there is none.
        """
        for route in self.routes:
            if route.path == path:
                return route
        raise NotFoundError(f"{self.name} has no route {path!r}")

    def first(self, shape: str) -> Route:
        """The busiest route of this shape.

        Raises:
            NotFoundError: there is none.
        """
        found = [route for route in self.routes if route.shape == shape]
        if not found:
            raise NotFoundError(f"{self.name} has no {shape} route")
        return max(found, key=lambda route: route.share)


@cache
def load_application(name: str) -> Application:
    """The sample application `name`.

    Raises:
        NotFoundError: there is none of that name.
        InputError: its file is wrong.
    """
    if name not in APPLICATIONS:
        raise NotFoundError(f"no sample application {name!r}; there are {', '.join(APPLICATIONS)}")
    file = resources.files("holdfast.drills").joinpath("applications", f"{name}.toml")
    return parse_application(name, tomllib.loads(file.read_text(encoding="utf-8")))


def parse_application(name: str, table: dict[str, Any]) -> Application:
    """An application from its TOML table.

    Raises:
        InputError: a key is missing or of the wrong shape.
    """
    try:
        text = table["text"]
        flat = {key: table[key] for key in ("service", "company", "convention", "provider", "canary", "models")}
        articles = {language: parse_articles(body) for language, body in text["articles"].items()}
        return msgspec.convert(
            {
                "name": name,
                **flat,
                "routes": table["route"],
                "tools": table.get("tool", []),
                **{key: text[key] for key in ("products", "inventions", "policies")},
                "articles": articles,
            },
            Application,
        )
    except (KeyError, msgspec.ValidationError) as error:
        raise InputError(str(error), f"{name}.toml") from error


def parse_articles(body: str) -> tuple[Article, ...]:
    """Articles from lines: ``## id | source | title``, then ``question / question | statement | answer``.

    Raises:
        InputError: a line has another number of parts, or a fact stands before any article.
    """
    found: list[tuple[str, str, str, list[Fact]]] = []
    for number, line in enumerate(body.strip().splitlines(), start=1):
        parts = [part.strip() for part in line.removeprefix("## ").split(" | ")]
        if len(parts) != 3 or not all(parts):
            raise InputError(f"three parts expected, not {len(parts)}", f"articles:{number}")
        if line.startswith("## "):
            found.append((parts[0], parts[1], parts[2], []))
        elif found:
            found[-1][3].append(Fact(tuple(q.strip() for q in parts[0].split(" / ")), parts[1], parts[2]))
        else:
            raise InputError("a fact before any article", f"articles:{number}")
    return tuple(Article(id_, source, title, tuple(facts), _body(title, facts)) for id_, source, title, facts in found)


def _body(title: str, facts: list[Fact]) -> str:
    return f"{title}. " + " ".join(fact.statement for fact in facts)
