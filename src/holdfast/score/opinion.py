"""What the encoder thinks of a text: a second opinion, a hundred times as dear as the first, asked where that one is unsure."""

from collections.abc import Sequence

from holdfast.models.encoder import VERSION, Encoder, encoder
from holdfast.models.encoder_tokens import Window, pair, plain, windows
from holdfast.score.pieces import Piece
from holdfast.score.text import capped, folded

__all__ = ["VERSION", "answer_opinion", "opinion", "prepared", "stretch_opinion"]

TOP = "safety"
MAX_WINDOWS = 4
"""Windows of a text that are read, the first ones: 440 tokens, and so at most about 40 ms."""
ANSWER = 96
"""Tokens of a question and its answer together."""
PROMPT = 250
"""Characters of the question that stand before an answer."""

Heads = dict[str, float]
"""Head → calibrated log-odds of the failure."""


def prepared(text: str) -> str:
    """What the tokenizer gets of a text."""
    return plain(folded(capped(text)))


def opinion(piece: Piece) -> Heads:
    """What every head says of a text, at its worst window; nothing of a text without words. Kept with the piece.

    Raises:
        IntegrityError: the encoder is damaged or missing.
    """
    return piece.once(TOP, _worst)


def stretch_opinion(stretch: str) -> Heads:
    """What every head says of a part of a text."""
    return _worst(stretch)


def _worst(text: str) -> Heads:
    asked = encoder()
    said = _judged(asked, windows(asked.tokenizer, prepared(text), MAX_WINDOWS))
    return {head: max(heads[head] for heads in said) for head in asked.outputs(TOP)} if said else {}


def answer_opinion(question: str, answer: str) -> Heads:
    """What every head says of an answer with the end of its question before it."""
    asked = encoder()
    return _judged(asked, [pair(asked.tokenizer, prepared(question[:PROMPT]), prepared(answer), ANSWER)])[0]


def _judged(asked: Encoder, read: Sequence[Window]) -> list[Heads]:
    heads = asked.outputs(TOP)
    outputs = asked.run(read, TOP)
    return [{head: asked.log_odds(head, float(value)) for head, value in zip(heads, said, strict=True)} for said in outputs]
