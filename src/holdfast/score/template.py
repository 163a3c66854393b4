"""`unsubstituted_template`: a prompt or answer still has the slots of its template, or `None` where a value should be."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import reading_of
from holdfast.score.text import shortened

UNSUBSTITUTED = Metric(
    name="unsubstituted_template",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="unsubstituted_template",
    description=(
        "Probability that a prompt that was sent, or the answer, still has a template's slot ({{x}}, ${x}, %(x)s …) or an"
        " empty value such as None."
    ),
    harm=1,
)

_CODE = re.compile(r"```.*?(?:```|$)|`[^`\n]*`", re.DOTALL)
_NAME = r"[A-Za-z_][\w.\- ]{0,40}"
_SLOTS = (
    (re.compile(rf"\{{\{{\s*{_NAME}(?:\|[^}}]{{0,30}})?\s*\}}\}}"), 0.95),
    (re.compile(r"\{%-?\s*\w[^%]{0,60}%\}"), 0.9),
    (re.compile(rf"\$\{{{_NAME}\}}"), 0.9),
    (re.compile(r"%\([A-Za-z_]\w{0,40}\)[sdf]"), 0.95),
    (re.compile(r"(?<![\w{$\"'\\])\{[a-z_][a-z0-9_.]{1,40}\}(?![}\w])"), 0.8),
    (re.compile(r"\[\[[A-Za-z_][\w ]{1,40}\]\]"), 0.8),
    (re.compile(r"<(?:[A-Z][A-Z0-9]*_[A-Z0-9_]+|[a-z]+(?:_[a-z]+)+)>"), 0.6),
    (
        re.compile(r"\[(?:INSERT|YOUR|ENTER|NAME OF|CUSTOMER|COMPANY|USER|DATE|PLACEHOLDER|TODO)[^\]\n]{0,40}\]", re.IGNORECASE),
        0.6,
    ),
)
_EMPTY = re.compile(
    (
        r"(?:^|[\s:=(,])(?:(?:dear|hello|hi|hallo|bonjour|hola|ciao|olá) (?:None|null|undefined|NaN)\b"
        r"|[A-Za-z][\w ]{0,40}[:=] ?(?:None|null|undefined|NaN|nan)(?=\s*(?:[.,;)\n]|$)))|(?:\$|€|£|usd |eur )(?:None|null"
        r"|undefined|NaN)\b|\b(?:is|of|for|to|at|on|by) (?:undefined|NaN)\b|\[object Object\]"
    ),
    re.IGNORECASE | re.MULTILINE,
)
_FIELD = re.compile(
    r"(?i:\b(?:number|no\.|total|amount|sum|date|name|id|price|address|balance|value|reference|code|phone|e-?mail|quantity|status)"
    r"\b(?: is| was| of|:)?) (?:None|null|undefined|NaN)\b(?! [a-z])"
    r"|\b(?:None|null|undefined|NaN) ?(?i:EUR|USD|GBP|CHF|JPY|€|\$|£|euros?|dollars?|pounds?|kg|km|days?)(?!\w)"
)
"""A field that was filled in with nothing, as in "my policy number is null" or "null EUR": nobody types that of themselves."""
_BARE = re.compile(r"(?<=[a-z] )(?:None|null|undefined|NaN)(?=[,.;)\n]|$)")
"""What a program writes for "nothing", behind a word as in "segment None, contract null."; twice in a text is no chance."""
_NOT_MIXED = re.compile(r"None|null|undefined|NaN|nan|\[object Object\]")
OWN_WORDS = 0.3
"""Factor for a slot in the user's own words."""


@dataclass(frozen=True)
class Template:
    """Looks for slots outside code in the system prompt, the question and the answer, and in the call's own template."""

    name: str = "template"
    version: str = "3"
    metrics: tuple[Metric, ...] = (UNSUBSTITUTED,)

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score per trace with a prompt or an answer."""
        reading = reading_of(trace)
        call = reading.anchor
        prompts = reading.background
        if not reading.answer and not any(piece.text for piece in prompts):
            return ()
        value, why = 0.003, ""
        for piece in prompts:
            found, weight = slot_in(piece.text) if piece is reading.question_piece else piece.once("slot", slot_in)
            # What the user typed is the user's business, what a form filled in is not.
            weight *= OWN_WORDS if piece is reading.question_piece and not _FIELD.search(found) else 1.0
            if weight > value:
                value, why = weight, f"prompt: {shortened(found)}"
        found, weight = slot_in(reading.answer)
        if weight > value:
            value, why = weight, f"answer: {shortened(found)}"
        return (score_of(self, call, UNSUBSTITUTED, value, why if value >= NOTABLE else ""),)


def slot_in(text: str) -> tuple[str, float]:
    """The slot or empty value that gives `text` away, and its weight; ("", 0.0) when there is none. Code is left out."""
    suspicious = "{" in text or "[" in text or "_" in text or "%(" in text
    empty = "None" in text or "null" in text or "undefined" in text or "NaN" in text or "[object" in text
    if not suspicious and not empty:
        return "", 0.0
    if "`" in text:
        text = _CODE.sub(" ", text)
    best = _worst_slot(text) if suspicious else ("", 0.0)
    if empty and best[1] < 0.7:
        field = _FIELD.search(text)
        if field:
            return field.group(), 0.8
        match = _EMPTY.search(text)
        if match and _NOT_MIXED.search(match.group()):
            best = (match.group().strip(), 0.75)
        elif len(bare := _BARE.findall(text)) > 1:
            best = (", ".join(bare[:4]), 0.8)
    return best


def _worst_slot(text: str) -> tuple[str, float]:
    best = ("", 0.0)
    for pattern, weight in _SLOTS:
        match = pattern.search(text) if weight > best[1] else None
        if match and not _closed(match.group(), text):
            best = (match.group(), weight)
    return best


def _closed(slot: str, text: str) -> bool:
    """Whether `slot` is a mark-up element that is closed again."""
    return slot[0] == "<" and (f"</{slot[1:]}" in text or text.count(slot) > 2)
