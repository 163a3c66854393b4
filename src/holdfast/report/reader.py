"""The post-mortem's Markdown as every export reads it: tables, but no link, picture or markup that telemetry wrote."""

from markdown_it import MarkdownIt
from markdown_it.token import Token


def reader() -> MarkdownIt:
    """CommonMark with tables; raw HTML is text, links and pictures are not made."""
    plain = MarkdownIt("commonmark", {"html": False, "linkify": False})
    return plain.enable("table").disable(["link", "image", "autolink"])


def tokens(markdown: str) -> list[Token]:
    """The document in pieces."""
    return reader().parse(markdown)
