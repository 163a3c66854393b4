"""Tags of tokens (B-, I-, O) made into spans of characters: the likeliest sequence that is well formed, then whole words."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Tagged = tuple[int, int, str]

OUTSIDE = "O"
_NEVER = np.float32(-1e4)


@cache
def _steps(tags: tuple[str, ...]) -> tuple[Floats, Floats]:
    """What it costs to begin with a tag, and to go from one (row) to another (column): I-X follows B-X and I-X only."""
    begin = np.array([_NEVER if t.startswith("I-") else 0.0 for t in tags], np.float32)
    allowed = [[not to.startswith("I-") or after[2:] == to[2:] for to in tags] for after in tags]
    return begin, np.where(np.array(allowed), np.float32(0.0), _NEVER)


def likeliest(scores: Floats, tags: tuple[str, ...]) -> list[str]:
    """The well-formed sequence of tags with the highest sum (Viterbi 1967). `scores`: shape (tokens, tags), log-probabilities."""
    if not len(scores):
        return []
    begin, steps = _steps(tags)
    best = scores[0] + begin
    came: list[npt.NDArray[np.intp]] = []
    for row in scores[1:]:
        ways = best[:, None] + steps
        before = ways.argmax(axis=0)
        came.append(before)
        best = ways[before, np.arange(len(tags))] + row
    path = [int(best.argmax())]
    for before in reversed(came):
        path.append(int(before[path[-1]]))
    return [tags[i] for i in reversed(path)]


def spans(text: str, offsets: Sequence[tuple[int, int]], tagged: Sequence[str]) -> list[Tagged]:
    """Spans (start, end, kind) of `text` that the tags of its tokens tell, grown to whole words, without overlaps, in order."""
    found: list[list[int | str]] = []
    for (start, end), tag in zip(offsets, tagged, strict=True):
        if tag == OUTSIDE or start == end:
            continue
        if tag.startswith("I-") and found and found[-1][2] == tag[2:]:
            found[-1][1] = end
        else:
            found.append([start, end, tag[2:]])
    return _apart([_grown(text, int(s), int(e), str(k)) for s, e, k in found])


MOST = 64
"""Characters by which a span grows at either end: in a script without blanks, a page looks like one word."""


def _grown(text: str, start: int, end: int, kind: str) -> Tagged:
    first, last = max(start - MOST, 0), min(end + MOST, len(text))
    while start > first and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < last and text[end].isalnum() and text[end - 1].isalnum():
        end += 1
    return start, end, kind


def _apart(found: Sequence[Tagged]) -> list[Tagged]:
    kept: list[Tagged] = []
    for span in found:
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept
