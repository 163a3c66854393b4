"""Hostile text for people's eyes: nothing in it is hidden, and nothing turns its neighbours around."""


def visible(text: str) -> str:
    r"""`text` with every character that is not printable (controls, direction marks, odd blanks) written as ``\u{202e}``."""
    return "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in text)
