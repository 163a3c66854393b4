"""E-mail addresses, also URL-encoded, and passwords in URLs: both hang on an at sign."""

import re
from collections.abc import Iterator

from holdfast.context.entities import Entity, Found

AT = rb"@|%(?:25)*40"

_ENCODED_AT = re.compile(r"%(?:25){0,4}40")
_LOCAL_REVERSED = re.compile(r"[\w.!#$&*+/=?^~%-]{1,64}")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})(?![\w])")
_FILES = frozenset(
    ("png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "py", "json", "html", "md", "txt", "yaml", "yml")
)
_NO_USERINFO = re.compile(r"[\s\"'<>\\\x00/]")
_STRIPPED = ".!#$&*+/=?^~%-"


def find_at_signs(text: str) -> Iterator[Found]:
    """What is an address, and what is a password, around each at sign of `text`."""
    at = text.find("@")
    while at >= 0:
        found = _password_before(text, at) or _address_around(text, at, at + 1)
        if found is not None:
            yield found
        at = text.find("@", at + 1)
    if "%" in text:
        for sign in _ENCODED_AT.finditer(text):
            found = _address_around(text, sign.start(), sign.end())
            if found is not None:
                yield found


def _address_around(text: str, at: int, after: int) -> Found | None:
    domain = _DOMAIN.match(text, after)
    if domain is None or domain[1].lower() in _FILES:
        return None
    low = max(0, at - 64)
    local = _LOCAL_REVERSED.match(text[low:at][::-1])
    if local is None:
        return None
    start = at - local.end()
    start = max(start, _after_last(text, start, at, "/=?&#"))
    while start < at and text[start] in _STRIPPED:
        start += 1
    return Found(start, domain.end(), Entity.EMAIL_ADDRESS) if start < at else None


def _after_last(text: str, start: int, at: int, marks: str) -> int:
    """Past the last of `marks`: in URLs and queries the address begins behind them."""
    return max(text.rfind(mark, start, at) for mark in marks) + 1


def _password_before(text: str, at: int) -> Found | None:
    """The password of ``scheme://user:password@host``."""
    low = max(0, at - 640)
    scheme = text.rfind("://", low, at)
    if scheme < 0:
        return None
    colon = text.find(":", scheme + 3, at)
    if colon < 0 or colon + 1 == at or _NO_USERINFO.search(text, scheme + 3, at):
        return None
    return Found(colon + 1, at, Entity.PASSWORD)
