"""Heads of HTTP/1.1 messages as bytes (RFC 9112). Whatever would be read as more than one head is not written."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import quote

Headers = Iterable[tuple[str, str]]

_PLAIN = re.compile(r"/[A-Za-z0-9_:/.-]*")
_VISIBLE = re.compile(r"[!-~]+")
_ALLOWED = "/:@!$&'()*+,;=~-._"
_REASONS = {status.value: status.phrase for status in HTTPStatus}
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def escaped(path: str, query: str) -> str:
    """A path whose escapes were read, and a query as it came, as a request line can carry them."""
    own = path if _PLAIN.fullmatch(path) else quote(path, safe=_ALLOWED)
    if not query:
        return own
    return f"{own}?{query if _VISIBLE.fullmatch(query) else quote(query, safe=_ALLOWED + '%?[]')}"


def request_head(method: str, target: str, host: str, headers: Headers, length: int) -> bytes:
    """The head of a request whose body has `length` bytes.

    Raises:
        ValueError: a part holds what ends a line, or no byte can spell.
    """
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if length or method in _WITH_BODY:
        lines.append(f"content-length: {length}")
    if " " in target:
        raise ValueError("a target with a space in it")
    return _encoded(lines)


def response_head(status: int, headers: Headers) -> bytes:
    """The head of a response.

    Raises:
        ValueError: as `request_head`.
    """
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, '')}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return _encoded(lines)


def _encoded(lines: list[str]) -> bytes:
    text = "\r\n".join(lines)
    ends = len(lines) - 1
    if text.count("\n") != ends or text.count("\r") != ends or "\0" in text:
        raise ValueError("a header that would be read as several")
    return (text + "\r\n\r\n").encode("latin-1")
