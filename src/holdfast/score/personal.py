"""Where the personal data of a text is: what has a structure by its structure, names and addresses and dates by the encoder."""

import re
from collections.abc import Sequence

import re2

from holdfast.context.entities import SECRETS, Entity
from holdfast.context.find import find
from holdfast.models.encoder import Encoder, Floats, encoder
from holdfast.models.encoder_tags import Tagged, likeliest, spans
from holdfast.models.encoder_tokens import shapes, windows
from holdfast.score.text import capped

MAX_WINDOWS = 64
TOP = "entities"

_ADDRESS = re2.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re2.compile(r"(?i)(?:https?://|www\.)[^\s<>\"']+[\w/]")
_HOST = re2.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")
_STRUCTURED = ((_ADDRESS, "EMAIL_ADDRESS"), (_LINK, "DOMAIN_NAME"), (_HOST, "IP_ADDRESS"))
_SURE = frozenset(
    {"DOMAIN_NAME", "IP_ADDRESS", *(e.value for e in (Entity.EMAIL_ADDRESS, Entity.CREDIT_CARD, Entity.IBAN_CODE, *SECRETS))}
)
"""Kinds that the recognisers of `context` know by a checksum or by a form that nothing else has."""
_BY_FORM = frozenset({"EMAIL_ADDRESS", "IP_ADDRESS"})
"""Tags of the encoder that are not needed: a pattern finds them, and finds them whole."""
_LEFT = " \t\r\n,;:.|>)-*'\""
_RIGHT = " \t\r\n,;:|>(-*'\""
_ABBREVIATED = frozenset({"ORGANIZATION", "TITLE"})
_ANYTHING = re.compile(r"\w")


CAUTION = 0.0
"""Log-odds that every token is given in favour of being ordinary text: the operating point."""


def personal_spans(text: str) -> list[Tagged]:
    """Personal data and secrets of `text`: (start, end, kind) in order, without overlaps; kinds have Presidio's names.

    Reads the first 20,000 characters, and of those at most 64 windows of 112 tokens.

    Raises:
        IntegrityError: the encoder is damaged or missing.
    """
    return combined(structured(capped(text)), tagged(capped(text), encoder(), CAUTION))


def combined(formed: Sequence[Tagged], learned: Sequence[Tagged]) -> list[Tagged]:
    """Finds by form, and what the encoder found beside them. A form that proves little gives way to what the encoder says."""
    sure = [span for span in formed if span[2] in _SURE]
    said = [span for span in learned if span[2] not in _BY_FORM and not _meets(span, sure)]
    return disjoint([*sure, *said, *(span for span in formed if span[2] not in _SURE and not _meets(span, said))])


def _meets(span: Tagged, others: Sequence[Tagged]) -> bool:
    return any(span[0] < end and start < span[1] for start, end, _ in others)


def structured(text: str) -> list[Tagged]:
    """What has a form of its own: addresses of mail, web and network, and the finds of `holdfast.context`; without overlaps."""
    found = [(m.start(), m.end(), kind) for pattern, kind in _STRUCTURED for m in pattern.finditer(text)]
    found += [(f.start, f.end, f.entity.value) for f in find(text)]
    return disjoint(found)


def disjoint(found: Sequence[Tagged]) -> list[Tagged]:
    """Those that begin first, the longer ones of them, in order; whoever overlaps gives way."""
    kept: list[Tagged] = []
    for one in sorted(found, key=lambda s: (s[0], -s[1])):
        if not kept or one[0] >= kept[-1][1]:
            kept.append(one)
    return kept


def tagged(text: str, encoder: Encoder, caution: float = 0.0) -> list[Tagged]:
    """What the encoder takes for personal data. `caution` is added to the log-probability of its being none."""
    read = windows(encoder.tokenizer, text, MAX_WINDOWS)
    tags = encoder.outputs(TOP)
    outputs = encoder.run(read, TOP, [shapes(text, w.offsets) for w in read])
    found: list[Tagged] = []
    for window, said in zip(read, outputs, strict=True):
        found += spans(text, window.offsets[1:-1], likeliest(cautious(said[1:-1], caution), tags))
    return [s for span in found if (s := _trimmed(text, span)) is not None]


def cautious(scores: Floats, caution: float) -> Floats:
    """Scores of tags with `caution` added to those of ordinary text, the first of them."""
    found = scores.copy()
    found[:, 0] += caution
    return found


def _trimmed(text: str, span: Tagged) -> Tagged | None:
    """The span without the signs around it; None where nothing is left."""
    start, end, kind = span
    while end > start and text[end - 1] in _RIGHT + ("" if kind in _ABBREVIATED else "."):
        end -= 1
    while start < end and text[start] in _LEFT:
        start += 1
    return (start, end, kind) if _ANYTHING.search(text, start, end) else None
