"""Which traces an external scorer is asked about, and what it is shown of them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.core.trace import Trace
from holdfast.score.reading import Reading
from holdfast.score.text import CAP

Texts = Mapping[str, str]
"""Name (question, answer, context, system) → text of at most 20,000 characters, in the order in which they are read."""

WHOLE = 1 << 64


def sampled(trace_id: str, share: float) -> bool:
    """Whether a trace is in a sample of `share` (0..1]: by a hash, so that every process and every replay agree.

    A smaller share is part of a larger one.
    """
    digest = hashlib.sha256(trace_id.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") < share * WHOLE


@dataclass(frozen=True)
class Selection:
    """Applications (none: all), share of their traces, and the texts that a trace must have."""

    reads: tuple[str, ...]
    share: float = 1.0
    applications: frozenset[str] = frozenset()

    def due(self, trace: Trace) -> bool:
        """Whether this trace is to be scored."""
        return self.covers(trace) and sampled(trace.trace_id, self.share) and self.texts(Reading(trace)) is not None

    def covers(self, trace: Trace) -> bool:
        """Whether traces of its application may be shown to the scorer, in the sample or not."""
        return not self.applications or trace.service in self.applications

    def texts(self, reading: Reading) -> Texts | None:
        """What is shown of a trace; None where a text is missing."""
        found = {name: _text(reading, name) for name in self.reads}
        return found if all(text.strip() for text in found.values()) else None


def _text(reading: Reading, name: str) -> str:
    if name == "question":
        return reading.question
    if name == "answer":
        return reading.answer
    if name == "system":
        return reading.system
    return "\n\n".join([piece.text for piece in reading.evidence])[:CAP]
