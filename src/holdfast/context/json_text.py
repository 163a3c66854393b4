"""JSON inside texts: what its escapes hide, and what must be quoted to keep it valid."""

import re

_UNICODE = re.compile(r"(?<!\\)(\\++)u([0-9a-fA-F]{4})")
_SLASH = re.compile(r"(?<!\\)(\\++)/")
_SCALAR = re.compile(r"[-+0-9.eE]+\Z")
_MEMBER = re.compile(r"(\\{0,64})\"\s{0,8}:\s{0,8}\Z")
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*"?', re.DOTALL)


def unescape(text: str) -> str:
    r"""`text` with ``\u0040`` and ``\/`` written as what they mean, at any depth of quoting.

    Quotation marks, backslashes, controls and surrogates stay escaped, so that JSON means the same afterwards.
    """
    if "\\u" in text:
        text = _UNICODE.sub(_meaning, text)
    if "\\/" in text:
        text = _SLASH.sub(lambda m: _before(m[1]) + "/", text)
    return text


def _meaning(match: re.Match[str]) -> str:
    char = chr(int(match[2], 16))
    plain = char >= " " and char not in '"\\\x7f' and not "\ud800" <= char <= "\udfff"
    return _before(match[1]) + char if plain else match[0]


def _before(backslashes: str) -> str:
    """Those backslashes that belong to an escaped backslash of its own; an even number is an escape of JSON within JSON."""
    return backslashes[1:] if len(backslashes) % 2 else ""


def quote_for(text: str, start: int, end: int) -> str:
    """The quotation mark that must go around a replacement of text[start:end]: empty unless that is a bare number of JSON."""
    if start == 0 or text[start - 1] not in " :,[\t\r\n" or text[end : end + 1] not in (",", "]", "}", " ", "\t", "\r", "\n"):
        return ""
    member = _MEMBER.search(text, max(0, start - 80), start)
    if member is not None:
        return member[1] + '"' if len(member[1]) % 2 else '"'
    if not _SCALAR.match(text[start:end]) or text.lstrip()[:1] not in ("[", "{"):
        return ""
    for string in _STRING.finditer(text):
        if string.end() > start:
            return _inside(string[0]) if string.start() < start else '"'
    return '"'


def _inside(string: str) -> str:
    """The quotation mark of a JSON document that is itself a string of another."""
    return '\\"' if string[1:].lstrip()[:1] in ("[", "{") else ""
